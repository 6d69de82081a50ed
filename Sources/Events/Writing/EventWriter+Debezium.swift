import ChangeLog
import Derivation
import PGOutput

/// The envelope that Debezium's connectors write, for those who parse it already: `before`, `after`, `source`, `op`, `ts_ms`.
/// Values are texts, as everywhere here; what an envelope has no place for stands under `crossfade`.
extension EventWriter {
  mutating func writeDebezium(_ event: StateEvent, id: String) {
    json.beginObject()
    let isGone = event.operation == .delete || event.operation == .truncate || event.kind == .gap
    json.key("before")
    if event.previous != nil || event.oldKey != nil || event.operation == .delete {
      json.beginObject()
      members(event.oldKey ?? event.key)
      if let previous = event.previous { row(previous.status, previous.state) }
      json.endObject()
    } else {
      json.null()
    }
    json.key("after")
    if isGone {
      json.null()
    } else {
      json.beginObject()
      members(event.key)
      row(event.status ?? .unpublished, event.state)
      for (name, column) in zip(texts.columnNames, event.columns) {
        guard case .known(let value) = column else { continue }
        json.key(name)
        text(value)
      }
      json.endObject()
    }
    source(event)
    member("op", Self.operation(event))
    if let time = event.transaction?.commitTime {
      json.key("ts_ms")
      json.integer(time.unixMicroseconds / 1000)
    }
    crossfade(event, id)
    json.endObject()
  }

  /// `c`, `u`, `d`, `t` as Debezium has them; `m`, a message, for what is about no row.
  private static func operation(_ event: StateEvent) -> String {
    switch event.operation {
    case .insert: "c"
    case .update: "u"
    case .delete: "d"
    case .truncate: "t"
    case .message, nil: "m"
    }
  }

  private mutating func source(_ event: StateEvent) {
    json.key("source")
    json.beginObject()
    member("connector", "crossfade")
    member("name", plan.source)
    member("schema", plan.derive.table.schema.name)
    member("table", plan.derive.table.name.name)
    if let transaction = event.transaction {
      json.key("lsn")
      json.integer(transaction.commitLSN.rawValue)
      if let xid = transaction.xid {
        json.key("txId")
        json.integer(xid.rawValue)
      }
      if let time = transaction.commitTime {
        json.key("ts_ms")
        json.integer(time.unixMicroseconds / 1000)
      }
    }
    json.endObject()
  }

  private mutating func crossfade(_ event: StateEvent, _ id: String) {
    json.key("crossfade")
    json.beginObject()
    member("id", id)
    member("type", texts.types[event.kind] ?? "")
    switch event.state {
    case .state(let state):
      json.key("code")
      text(state.code)
    case .none(let reason) where event.gap == nil: member("reason", reason.rawValue)
    case .none: break
    }
    if let previous = event.previous { member("previous_from", previous.source.rawValue) }
    if let correction = event.correction {
      member("cause", correction.cause.rawValue)
      if let corrects = correction.corrects { member("corrects", "\(corrects)") }
    }
    if let gap = event.gap {
      member("after", "\(gap.after)")
      if let next = gap.next { member("next", "\(next)") }
      member("reason", gap.reason)
    }
    json.endObject()
  }

  private mutating func members(_ key: [ExactText]) {
    for (name, value) in zip(texts.keyNames, key) {
      json.key(name)
      text(value)
    }
  }

  /// The two columns; the new one as the state says it, left out where there is none.
  private mutating func row(_ status: ColumnReading, _ state: StateEvent.Reading) {
    if case .known(let status) = status {
      json.key(plan.derive.from.name)
      text(status)
    }
    if case .state(let state) = state {
      json.key(plan.derive.to.name)
      text(state.id)
    }
  }
}
