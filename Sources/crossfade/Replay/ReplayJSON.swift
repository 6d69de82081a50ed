import ChangeLog
import Derivation
import Operations
import PGOutput
import Replay

/// What a replay tells, as JSON.
enum ReplayJSON {
  /// A derived change, its members in a fixed order. What the log does not tell is left out; null is SQL NULL.
  static func line(_ change: DerivedChange) -> JSONValue {
    let event = change.event
    var members: [(String, JSONValue)] = [
      ("position", .string("\(event.position)")), ("commit_lsn", .string("\(event.transaction.commitLSN)")),
      ("commit_time", event.transaction.commitTime.map { .string("\($0)") } ?? .null),
      ("xid", event.transaction.xid.map { .integer(Int64($0.rawValue)) } ?? .null),
      ("op", .string(event.kind.rawValue)),
    ]
    if let key = event.key { members.append(("key", self.key(key))) }
    if let key = event.oldKey { members.append(("old_key", self.key(key))) }
    if case .known(let status)? = event.oldStatus { members.append(("old_status", text(status))) }
    if case .known(let status)? = event.status { members.append(("status", text(status))) }
    switch change.outcome {
    case .state(let state): members.append(("state", self.state(state)))
    case .unmapped: members += [("state", .null), ("reason", "unmapped")]
    case .gone: members += [("state", .null), ("reason", "gone")]
    case .untold(let status): members.append(("reason", .string(reason(status))))
    }
    return .object(members)
  }

  static func reason(_ status: RowEvent.Status) -> String {
    switch status {
    case .known: "unmapped"
    case .unchanged: "unchanged"
    case .unpublished: "unpublished"
    case .unreadable: "unreadable"
    }
  }

  static func gap(_ gap: LogGap) -> JSONValue {
    [
      "gap": [
        "after": .string("\(gap.after)"), "next": gap.next.map { .string("\($0)") } ?? .null,
        "file": .string(gap.file), "byte": .unsigned(gap.offset), "reason": .string(gap.reason),
      ]
    ]
  }

  static func difference(_ difference: Difference) -> JSONValue {
    var members: [(String, JSONValue)] = [
      ("class", .string(difference.kind.rawValue)), ("key", key(difference.key)),
      ("position", .string("\(difference.position)")),
      ("commit_time", difference.commitTime.map { .string("\($0)") } ?? .null),
    ]
    if case .known(let status)? = difference.logged { members.append(("status", text(status))) }
    if let held = difference.held {
      members.append(("held", ["status": text(held.status), "state": text(held.to)]))
    }
    if let state = difference.expected { members.append(("expected", self.state(state))) }
    return .object(members)
  }

  static func unseen(_ key: RowKey) -> JSONValue { ["unseen": self.key(key)] }

  static func state(_ state: State) -> JSONValue { ["id": text(state.id), "code": text(state.code)] }

  static func key(_ key: RowKey) -> JSONValue { .array(key.columns.map { text($0) }) }

  /// A text; bytes that are no UTF-8 in hexadecimal.
  static func text(_ text: ExactText?) -> JSONValue {
    guard let text else { return .null }
    if let string = String(validating: text.bytes, as: UTF8.self) { return .string(string) }
    let digits = text.bytes.map { byte in
      String(byte >> 4, radix: 16) + String(byte & 0xF, radix: 16)
    }
    return ["hex": .string(digits.joined())]
  }
}
