import ChangeLog
import Derivation
import PGOutput
import Testing

@testable import Events

@Suite("Events, as they are written") struct EventWriterTests {
  @Test("CloudEvents: each kind of change says what the log tells, and no more")
  func cloudEvents() throws {
    let log = try EventLog()
    try log.commit(
      second: 1,
      [
        .insert(row(1, "AUTH")), .update(row(1, "CAPTURED", 1), old: row(1, "AUTH", 1)),
        .update(row(2, "CAPTURED", 2), key: row(1, nil)), .update(row(2, "captured", 2)),
        .delete(key: row(2, nil)), .truncate,
      ])
    let head = #""source":"/crossfade/7/ledger","type":"transaction"#
    let time = #""time":"2000-01-01T00:00:01.000000Z","datacontenttype":"application/json","data":"#
    let end = #""lsn":"0/10D0","xid":7,"ordinal""#
    #expect(
      try log.written() == #"""
        {"specversion":"1.0","id":"0/1100.0",\#(head).state.changed","subject":"1",\#(time){"op":"insert","key":{"id":"1"},"state":{"id":"1","code":"authorized"},"status":"AUTH",\#(end):0}}
        {"specversion":"1.0","id":"0/1100.1",\#(head).state.changed","subject":"1",\#(time){"op":"update","key":{"id":"1"},"state":{"id":"2","code":"captured"},"status":"CAPTURED","previous":{"state":{"id":"1","code":"authorized"},"status":"AUTH"},"previous_from":"row",\#(end):1}}
        {"specversion":"1.0","id":"0/1100.2",\#(head).changed","subject":"2",\#(time){"op":"update","key":{"id":"2"},"old_key":{"id":"1"},"state":{"id":"2","code":"captured"},"status":"CAPTURED","previous":{"state":{"id":"2","code":"captured"},"status":"CAPTURED"},"previous_from":"log",\#(end):2}}
        {"specversion":"1.0","id":"0/1100.3",\#(head).state.changed","subject":"2",\#(time){"op":"update","key":{"id":"2"},"state":null,"reason":"unmapped","status":"captured","previous":{"state":{"id":"2","code":"captured"},"status":"CAPTURED"},"previous_from":"log",\#(end):3}}
        {"specversion":"1.0","id":"0/1100.4",\#(head).deleted","subject":"2",\#(time){"op":"delete","key":{"id":"2"},"state":null,"reason":"gone",\#(end):4}}
        {"specversion":"1.0","id":"0/1100.5",\#(head).truncated",\#(time){"op":"truncate","state":null,"reason":"gone",\#(end):5}}

        """#)
  }

  @Test("columns that were chosen are carried; what the log does not tell is left out")
  func columns() throws {
    let log = try EventLog()
    let names = ["id", "status", "state_id", "note", "amount"]
    try log.commit(second: 1, columns: names, [.insert(row(1, "AUTH") + [.unchanged, .text("5\u{1}\"")])])
    let text = try log.written(columns: ["amount", "note", "gone"])
    #expect(text.contains(#""columns":{"amount":"5\u0001\""},"lsn""#))
  }

  @Test("server-sent events: the position is the id, the document one line of data")
  func serverSent() throws {
    let log = try EventLog()
    try log.commit(second: 1, [.insert(row(1, "AUTH\nx"))])
    let text = try log.written(framing: .serverSent)
    #expect(text.hasPrefix("id: 0/1100.0\ndata: {\"specversion\""))
    #expect(text.hasSuffix("}}\n\n"))
    #expect(text.split(separator: "\n").count == 2)
    var writer = EventWriter(try EventLog.plan(), framing: .serverSent)
    writer.writeHeartbeat(Position(endLSN: LSN(rawValue: 0x1100)))
    #expect(writer.bytes == Array(": alive\nid: 0/1100\n\n".utf8))
  }

  @Test("Debezium's envelope")
  func debezium() throws {
    let log = try EventLog()
    try log.commit(
      second: 1, [.insert(row(1, "AUTH")), .update(row(1, "CAPTURED", 1), old: row(1, "AUTH", 1))])
    let source =
      #""source":{"connector":"crossfade","name":"/crossfade/7/ledger","schema":"public","table":"transactions","lsn":4304,"txId":7,"ts_ms":946684801000}"#
    #expect(
      try log.written(format: .debezium) == #"""
        {"before":null,"after":{"id":"1","status":"AUTH","state_id":"1"},\#(source),"op":"c","ts_ms":946684801000,"crossfade":{"id":"0/1100.0","type":"transaction.state.changed","code":"authorized"}}
        {"before":{"id":"1","status":"AUTH","state_id":"1"},"after":{"id":"1","status":"CAPTURED","state_id":"2"},\#(source),"op":"u","ts_ms":946684801000,"crossfade":{"id":"0/1100.1","type":"transaction.state.changed","code":"captured","previous_from":"row"}}

        """#)
  }

  @Test("a change without its key is a gap, and the next one comes")
  func unfit() throws {
    let log = try EventLog()
    try log.commit(second: 1, columns: ["status", "state_id"], [.insert([.text("AUTH"), .null])])
    try log.commit(second: 2, [.insert(row(1, "AUTH"))])
    let text = try log.written().split(separator: "\n")
    #expect(
      text.first == #"""
        {"specversion":"1.0","id":"0/1100.0","source":"/crossfade/7/ledger","type":"crossfade.gap","datacontenttype":"application/json","data":{"after":"0/1000","next":"0/1100","reason":"a change came without its key id"}}
        """#)
    #expect(text.count == 2)
  }
}
