import ChangeLog
import Derivation
import PGOutput

/// CloudEvents 1.0 in its JSON format. `docs/events.schema.json` describes what is written here.
extension EventWriter {
  mutating func writeCloudEvent(_ event: StateEvent, id: String) {
    json.beginObject()
    member("specversion", "1.0")
    member("id", id)
    member("source", plan.source)
    member("type", texts.types[event.kind] ?? "")
    if !event.key.isEmpty {
      json.key("subject")
      subject(event.key)
    }
    if let time = event.transaction?.commitTime { member("time", texts.text(of: time)) }
    member("datacontenttype", "application/json")
    json.key("data")
    json.beginObject()
    if let gap = event.gap { data(gap) } else { data(event) }
    json.endObject()
    json.endObject()
  }

  private mutating func data(_ event: StateEvent) {
    member("op", event.operation?.rawValue ?? "")
    if !event.key.isEmpty {
      json.key("key")
      key(event.key)
    }
    if let old = event.oldKey {
      json.key("old_key")
      key(old)
    }
    state(event.state)
    if case .known(let status)? = event.status {
      json.key("status")
      text(status)
    }
    if let previous = event.previous {
      json.key("previous")
      json.beginObject()
      state(previous.state)
      if case .known(let status) = previous.status {
        json.key("status")
        text(status)
      }
      json.endObject()
      member("previous_from", previous.source.rawValue)
    }
    if !event.columns.isEmpty {
      json.key("columns")
      json.beginObject()
      for (name, column) in zip(texts.columnNames, event.columns) {
        // What the log does not tell is left out.
        guard case .known(let value) = column else { continue }
        json.key(name)
        text(value)
      }
      json.endObject()
    }
    if let correction = event.correction {
      member("cause", correction.cause.rawValue)
      if let corrects = correction.corrects { member("corrects", "\(corrects)") }
    }
    if let transaction = event.transaction {
      member("lsn", texts.text(ofCommit: transaction.commitLSN))
      if let xid = transaction.xid {
        json.key("xid")
        json.integer(xid.rawValue)
      }
    }
    json.key("ordinal")
    json.integer(event.position.ordinal)
  }

  private mutating func data(_ gap: EventGap) {
    member("after", "\(gap.after)")
    if let next = gap.next { member("next", "\(next)") }
    member("reason", gap.reason)
  }

  private mutating func state(_ reading: StateEvent.Reading) {
    json.key("state")
    switch reading {
    case .state(let state):
      json.beginObject()
      json.key("id")
      text(state.id)
      json.key("code")
      text(state.code)
      json.endObject()
    case .none(let reason):
      json.null()
      member("reason", reason.rawValue)
    }
  }

  /// A row's key in one text: of one column its own, of several a JSON array of their texts.
  private mutating func subject(_ key: [ExactText]) {
    guard key.count > 1 else { return text(key.first) }
    json.string(EventKey.text(key))
  }

  mutating func key(_ key: [ExactText]) {
    json.beginObject()
    for (name, value) in zip(texts.keyNames, key) {
      json.key(name)
      text(value)
    }
    json.endObject()
  }

  mutating func text(_ text: ExactText?) {
    guard let text else { return json.null() }
    json.text(text.bytes.rawBytes)
  }

  mutating func member(_ name: String, _ value: String) {
    json.key(name)
    json.string(value)
  }
}
