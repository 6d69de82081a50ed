import Capture
import Derivation
import DualWrite
import Postgres

/// Judges the old and the new column.
struct ColumnJudge: Equatable, Sendable {
  var table: TableFacts
  var derive: SlotDefinition.Derive
  /// The type of the map's id column; nil when there is none.
  var mapType: String?
  var role: String
  /// Which way the slot derives; but `forward` the old column is written, too.
  var direction = Direction.Standing.forward

  var findings: [Finding] { [old, new, privileges, generated] }

  private var old: Finding {
    let subject = "old column"
    guard let column = table.column(derive.from) else {
      return .fail(
        subject, "\(derive.table) has no column \(derive.from)", fix: "name the old column in derive.from")
    }
    if column.isGenerated {
      return .fail(
        subject, "\(derive.from) is generated: the stream does not carry it",
        fix: "derive from the column it is generated from")
    }
    if let streamed = column.streamed {
      return .fail(
        subject, "\(derive.from) \(streamed.danger(column.type))",
        fix: streamed.remedy(derive.from.quoted, of: derive.table.quoted, type: column.type))
    }
    guard column.isDeterministic else {
      return .warn(
        subject,
        "\(derive.from) has a nondeterministic collation: texts that compare equal may differ in bytes",
        fix: "list every spelling in the map; statuses are compared byte for byte")
    }
    return .pass(subject, "\(derive.from) \(column.type)")
  }

  private var new: Finding {
    let subject = "new column"
    let change = "ALTER TABLE \(derive.table.quoted) ALTER COLUMN \(derive.to.quoted)"
    guard let column = table.column(derive.to) else {
      return .fail(
        subject, "\(derive.table) has no column \(derive.to) yet",
        fix:
          "crossfade expand SLOT  -- runs ALTER TABLE \(derive.table.quoted) ADD COLUMN \(derive.to.quoted) "
          + "\(mapType ?? "bigint") with a short lock_timeout, patiently", step: "expand.column")
    }
    if column.isGenerated {
      return .fail(
        subject, "\(derive.to) is generated: it cannot be written", fix: "name a plain column in derive.to")
    }
    if let mapType, column.type != mapType {
      return .fail(
        subject, "\(derive.to) is \(column.type), the map's \(derive.map.id) is \(mapType)",
        fix:
          "\(change) TYPE \(mapType);  -- rewrites the table; better drop it and let `crossfade expand` add it"
      )
    }
    if column.isNotNull {
      return .warn(
        subject, "\(derive.to) is NOT NULL: an insert that does not set it fails in the application",
        fix: "\(change) DROP NOT NULL;")
    }
    if column.hasDefault {
      return .warn(
        subject,
        "\(derive.to) has a default: a new row holds a value that nobody derived until the stream mends it",
        fix: "\(change) DROP DEFAULT;")
    }
    return .pass(subject, "\(derive.to) \(column.type)")
  }

  private var privileges: Finding {
    let subject = "privileges"
    let reads = (derive.key + [derive.from, derive.to]).filter { table.column($0)?.maySelect == false }
    let unwritable = [derive.to, derive.from].filter { table.column($0)?.mayUpdate == false }
    let writes = unwritable.filter { direction == .both || $0 == derive.to }
    guard reads.isEmpty, writes.isEmpty else {
      let missing = [("SELECT", reads), ("UPDATE", writes)].filter { !$0.1.isEmpty }
      return .fail(
        subject,
        "\(role) may not "
          + missing.map { "\($0.0) \($0.1.map(\.description).joined(separator: ", "))" }
          .joined(separator: " nor "),
        fix: grant(reads: reads, writes: unwritable))
    }
    guard unwritable.isEmpty else {
      return .warn(
        subject, "\(role) may not UPDATE \(derive.from): from the cutover on both columns are written",
        fix: grant(reads: [], writes: unwritable))
    }
    guard table.column(derive.to) != nil else {
      return .pass(subject, "\(role) may read the key and \(derive.from)")
    }
    return .pass(
      subject, "\(role) may read the key, \(derive.from) and \(derive.to), and update \(derive.to)")
  }

  /// One statement for all that is missing, that of the cutover included.
  private func grant(reads: [Identifier], writes: [Identifier]) -> String {
    let grants = [("SELECT", reads), ("UPDATE", writes)].filter { !$0.1.isEmpty }
      .map { "\($0.0) (\($0.1.map(\.quoted).joined(separator: ", ")))" }
    return
      "GRANT \(grants.joined(separator: ", ")) ON \(derive.table.quoted) TO \(SQLText.identifier(role));"
  }

  private var generated: Finding {
    let names = table.columns.filter(\.isGenerated).map(\.name)
    let keys = derive.key.filter { table.column($0)?.isGenerated == true }
    if !keys.isEmpty {
      return .fail(
        "generated columns",
        "key column \(keys.map(\.description).joined(separator: ", ")) is generated: not in the stream",
        fix: "key the slot by plain columns")
    }
    return .pass(
      "generated columns",
      names.isEmpty
        ? "none" : "\(names.joined(separator: ", ")): computed again by our updates, not read by us")
  }
}
