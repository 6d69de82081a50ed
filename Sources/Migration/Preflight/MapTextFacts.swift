import Derivation
import DualWrite
import Postgres

/// Whether the old column can hold what the map would have written to it, once new writers leave it out.
///
/// With the bridge it is the application's own statement that fails where it cannot; without it the row goes into quarantine,
/// and whoever reads the old column sees a status of before. So it is asked before the turn.
struct MapTextFacts: Equatable, Sendable {
  /// The old column's type, as SQL writes it.
  var type: String
  /// How many texts were tried.
  var tried: Int
  var misfits: [Misfit] = []
  /// CHECKs that name other columns, too: what they say of a text depends on the row.
  var open: [String] = []

  /// A state whose text the old column cannot hold.
  struct Misfit: Equatable, Sendable {
    var state: String
    /// Nil for NULL.
    var text: String?
    var reason: Reason
  }

  enum Reason: Equatable, Sendable {
    /// The old column is NOT NULL, and stays so; why it does.
    case required(Stays)
    /// The type cuts it off.
    case cut
    /// It is read back as another text.
    case changed(to: String?)
    /// A CHECK refuses it: its table, and what it says.
    case check(String, table: String, says: String)
    /// An enum has no such label.
    case label(type: String)
    /// The server refuses it, in its own words.
    case refused(String)
  }

  /// Why the cutover does not take the old column's NOT NULL away.
  enum Stays: Equatable, Sendable {
    case bridge, hasDefault, partition
  }

  /// What is wrong with a text, in a sentence without its full stop.
  func sentence(_ misfit: Misfit, _ derive: SlotDefinition.Derive) -> String {
    let text = misfit.text.map { SQLText.literal($0) } ?? "NULL"
    let head = "state \(misfit.state): its text \(text) "
    switch misfit.reason {
    case .required(.bridge):
      return head + "cannot be written to \(derive.from), which is NOT NULL, and stays so with migrate.bridge"
    case .required(.hasDefault):
      return head
        + "cannot be written to \(derive.from), which is NOT NULL, and stays so since it has a default"
    case .required(.partition):
      return head + "cannot be written to \(derive.from), which is NOT NULL in a partition"
    case .cut: return head + "is too long for \(derive.from), which is \(type)"
    case .changed(let found):
      return head
        + "would be read from \(derive.from) (\(type)) as \(found.map { SQLText.literal($0) } ?? "NULL")"
    case .check(let name, let table, let says):
      return head + "breaks CHECK \(name) of \(table): \(says)"
    case .label(let type): return head + "is no label of enum \(type), the type of \(derive.from)"
    case .refused(let message): return head + "is refused by \(derive.from) (\(type)): \(message)"
    }
  }

  /// How to mend it, from the side of the column.
  func mend(_ misfit: Misfit, _ derive: SlotDefinition.Derive) -> String {
    let table = derive.table.quoted
    let other = "give the state another text in \(derive.map.table) and derive.map.states; or "
    switch misfit.reason {
    case .required(.partition):
      return other + "ALTER TABLE ... ALTER COLUMN \(derive.from.quoted) DROP NOT NULL;  -- of that partition"
    case .required:
      return other + "ALTER TABLE \(table) ALTER COLUMN \(derive.from.quoted) DROP NOT NULL;"
        + "  -- ACCESS EXCLUSIVE, a moment"
    case .cut where type.hasPrefix("character varying("):
      return other
        + "ALTER TABLE \(table) ALTER COLUMN \(derive.from.quoted) TYPE varchar(\(misfit.text?.unicodeScalars.count ?? 0));"
        + "  -- ACCESS EXCLUSIVE, a moment: nothing is rewritten"
    case .check(let name, let owner, _):
      return other + "ALTER TABLE \(owner) DROP CONSTRAINT \(SQLText.identifier(name)), ADD CONSTRAINT "
        + "\(SQLText.identifier(name)) CHECK (...) NOT VALID;  -- one that allows it; then VALIDATE CONSTRAINT"
    case .label(let type):
      return other + "ALTER TYPE \(type) ADD VALUE \(SQLText.literal(misfit.text ?? ""));"
    case .cut, .changed, .refused: return other + "let \(derive.from) hold it"
    }
  }

  func findings(_ derive: SlotDefinition.Derive) -> [Finding] {
    let subject = "map texts"
    guard misfits.isEmpty else {
      return misfits.map { .fail(subject, sentence($0, derive), fix: mend($0, derive)) }
    }
    guard open.isEmpty else {
      return [
        .warn(
          subject, told(derive),
          fix:
            "see that rows of every state may hold its text: a write of \(derive.to) alone sets nothing else")
      ]
    }
    return [.pass(subject, told(derive))]
  }

  func gate(_ derive: SlotDefinition.Derive) -> Gate {
    let first = misfits.first
    let more = misfits.count > 1 ? ", and \(misfits.count - 1) more (`crossfade check SLOT`)" : ""
    return Gate(
      "map texts", passes: first == nil, first.map { sentence($0, derive) + more } ?? told(derive),
      threshold: "\(derive.from) can hold each", mend: first.map { mend($0, derive) })
  }

  private func told(_ derive: SlotDefinition.Derive) -> String {
    let fits =
      "\(derive.from) \(type) can hold "
      + (tried == 1 ? "the map's text" : "all \(tried) texts of the map")
    let checks = open.count == 1 ? "CHECK \(open[0]) names" : "CHECKs \(open.joined(separator: ", ")) name"
    return fits
      + (open.isEmpty ? "" : "; \(checks) other columns too, and cannot be tried")
  }
}
