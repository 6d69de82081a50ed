import Migration
import Operations

/// An audit trail, as text and as JSON.
struct AuditReport {
  let slot: String
  let rows: [AuditTrail.Row]
  /// What is wrong with it; nil when that was not asked.
  let faults: [AuditTrail.Fault]?

  var text: String {
    var lines = rows.flatMap(Self.lines)
    if let faults {
      lines += faults.map { "BROKEN: \($0)" }
      let end = rows.last.map { ", ending with \($0.hash)" } ?? ""
      lines.append(
        faults.isEmpty
          ? "holds: \(HumanFormat.count(Int64(rows.count))) rows\(end)"
          : "does not hold: \(faults.count) \(faults.count == 1 ? "fault" : "faults")")
    }
    return lines.joined(separator: "\n")
  }

  private static func lines(_ row: AuditTrail.Row) -> [String] {
    var head = "\(row.number)  \(row.at)  \(row.event)"
    if let step = row.step { head += "  \(step)" }
    if let wait = row.lockWait { head += "  lock \(wait) ms" }
    let statements = (row.statement ?? "").split(separator: "\n").map { "     \($0)" }
    let details = row.details == "{}" ? [] : ["   \(row.details)"]
    return [head, "   by \(row.role), \(row.operatingSystemUser), \(row.client), at \(row.lsn)"]
      + details + statements
  }

  var json: JSONValue {
    var members: [(key: String, value: JSONValue)] = [
      ("slot", .string(slot)),
      (
        "rows",
        .array(
          rows.map { row in
            [
              "number": .integer(row.number), "at": .string(row.at), "role": .string(row.role),
              "os_user": .string(row.operatingSystemUser), "client": .string(row.client),
              "version": .string(row.toolVersion), "step": row.step.map { .string($0) } ?? .null,
              "event": .string(row.event), "statement": row.statement.map { .string($0) } ?? .null,
              "lock_wait_ms": row.lockWait.map { .integer($0) } ?? .null, "lsn": .string(row.lsn),
              "details": .string(row.details), "hash": .string(row.hash),
            ]
          })
      ),
    ]
    if let faults {
      members.append(("holds", .bool(faults.isEmpty)))
      members.append(("faults", .array(faults.map { .string("\($0)") })))
    }
    return .object(members)
  }
}
