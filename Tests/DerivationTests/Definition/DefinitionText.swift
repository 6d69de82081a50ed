import Derivation

/// The smallest definition that stands, a line each; tests change one and look at what is said.
let smallest = """
  version: 1
  slot: ledger_states
  source:
    connection: host=/run/ledger dbname=ledger
  derive:
    table: public.transactions
    key: [id]
    from: status
    to: state_id
    map:
      table: public.transaction_state
      id: id
      code: code
      status: legacy_status
  log:
    directory: /var/lib/crossfade
  """

/// What the reader says about a text, as a user sees it; empty when it stands.
func faults(_ yaml: String, environment: [String: String] = [:]) -> String {
  do throws(DefinitionErrors) {
    _ = try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: environment)
    return ""
  } catch {
    return error.description
  }
}

/// The smallest definition with one line changed, or with lines put behind it.
func definition(replacing line: String = "", with replacement: String = "", adding more: String = "")
  -> String
{
  let changed = line.isEmpty ? smallest : smallest.replacing(line, with: replacement)
  return more.isEmpty ? changed : changed + "\n" + more
}
