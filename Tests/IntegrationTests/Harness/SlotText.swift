import LocalCluster

/// The text of a slot definition.
struct SlotText {
  var slot: String
  var table = "public.transactions"
  var key = ["id"]
  var from = "status"
  var to = "state_id"
  var mapTable = "public.transaction_state"
  /// `{id: 1, code: authorized, status: AUTH}`: YAML, a state each.
  var states = LegacyStatus.allCases.map { "{id: \($0.rawValue), code: \($0), status: '\($0.text)'}" }
  var confirm = "logged"
  var batch = 5000
  var backfill = (batch: 5000, pause: "0ms")
  var segment = "1MiB"
  /// More keys of the log section, a line each.
  var log: [String] = []
  /// Keys of the migrate section, `quiet: 1s`, a line each.
  var migrate: [String] = []
  /// Keys of the stream section, `two_phase: true`, a line each.
  var stream: [String] = []

  /// More sections, a line each.
  var more: [String] = []

  init(slot: String) { self.slot = slot }

  var yaml: String {
    """
    version: 1
    slot: \(slot)
    source:
      connection: ${CROSSFADE_SOURCE}
    derive:
      layout: in-place
      table: \(table)
      key: [\(key.joined(separator: ", "))]
      from: \(from)
      to: \(to)
      map:
        table: \(mapTable)
        id: id
        code: code
        status: legacy_status
        states:
    \(states.map { "      - \($0)" }.joined(separator: "\n"))
    log:
      directory: ${CROSSFADE_LOG}
      segment: \(segment)\(log.map { "\n  " + $0 }.joined())
    confirm: \(confirm)
    write:
      batch: \(batch)
    backfill:
      batch: \(backfill.batch)
      pause: \(backfill.pause)
    \(migrate.isEmpty ? "" : "migrate:\n" + migrate.map { "  \($0)" }.joined(separator: "\n"))
    \(stream.isEmpty ? "" : "stream:\n" + stream.map { "  \($0)" }.joined(separator: "\n"))
    \(more.joined(separator: "\n"))

    """
  }
}
