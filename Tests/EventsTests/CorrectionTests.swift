import ChangeLog
import Derivation
import PGOutput
import Testing

@testable import Events

@Suite("Corrections, as events") struct CorrectionTests {
  private static let retried =
    #"{"cause" : "quarantine", "corrects" : "0/1100", "key" : ["1"], "state" : "9", "code" : "new", "status" : "new"}"#
  private static let repaired =
    #"{"cause":"replay","corrects":"0/1100.1","key":["2"],"state":"2","code":"captured","status":null,"was":"1","was_code":"authorized"}"#

  private func correction(_ content: String) -> EventLog.Change {
    .message(prefix: "crossfade.correction", content: content)
  }

  /// A row in quarantine, one that is right, and then both corrected by us.
  private func corrected() throws -> EventLog {
    let log = try EventLog()
    try log.commit(second: 1, [.insert(row(1, "new")), .insert(row(2, "AUTH"))])
    try log.commit(
      second: 2, origin: "crossfade_ledger", describes: false,
      [correction(Self.retried), correction(Self.repaired)])
    return log
  }

  @Test("CloudEvents: the state that was written, whatever the reader's map knows, and what it corrects")
  func cloudEvents() throws {
    let written = try corrected().written().split(separator: "\n")
    let head = #""source":"/crossfade/7/ledger","type":"transaction.state.corrected""#
    let time = #""time":"2000-01-01T00:00:02.000000Z","datacontenttype":"application/json","data":"#
    let end = #""lsn":"0/11D0","xid":7,"ordinal""#
    #expect(written[0].contains(#""state":null,"reason":"unmapped""#))
    #expect(
      written[2...] == [
        #"{"specversion":"1.0","id":"0/1200.0",\#(head),"subject":"1",\#(time){"op":"update","key":{"id":"1"},"state":{"id":"9","code":"new"},"status":"new","cause":"quarantine","corrects":"0/1100",\#(end):0}}"#,
        #"{"specversion":"1.0","id":"0/1200.1",\#(head),"subject":"2",\#(time){"op":"update","key":{"id":"2"},"state":{"id":"2","code":"captured"},"status":null,"previous":{"state":{"id":"1","code":"authorized"}},"previous_from":"row","cause":"replay","corrects":"0/1100.1",\#(end):1}}"#,
      ])
  }

  @Test("Debezium's envelope: an update of the row")
  func debezium() throws {
    let written = try corrected().written(format: .debezium).split(separator: "\n")
    #expect(
      written[2].hasPrefix(#"{"before":null,"after":{"id":"1","status":"new","state_id":"9"},"source""#))
    #expect(
      written[3].hasPrefix(
        #"{"before":{"id":"2","state_id":"1"},"after":{"id":"2","status":null,"state_id":"2"},"source""#))
    #expect(
      written[3].hasSuffix(
        #""op":"u","ts_ms":946684802000,"crossfade":{"id":"0/1200.1","type":"transaction.state.corrected","code":"captured","previous_from":"row","cause":"replay","corrects":"0/1100.1"}}"#
      ))
  }

  @Test("filters by type, state and key; going on after each gives the rest")
  func followed() throws {
    let log = try corrected()
    func found(_ filter: EventFilter) throws -> [String] {
      try log.events(filter: filter).map { "\($0.position)" }
    }
    #expect(try found(.init(types: ["transaction.state.corrected"])) == ["0/1200.0", "0/1200.1"])
    #expect(try found(.init(types: ["transaction.state.changed"])) == ["0/1100.0", "0/1100.1"])
    #expect(try found(.init(states: ["9"])) == ["0/1200.0"])
    #expect(try found(.init(states: ["captured"])) == ["0/1200.1"])
    #expect(try found(.init(keys: ["2"])) == ["0/1100.1", "0/1200.1"])
    let all = try log.events()
    #expect(all.count == 4)
    for (index, event) in all.enumerated() {
      #expect(try log.events(after: event.position) == Array(all[(index + 1)...]))
    }
  }

  @Test("a log that has described no table yet is read for them all the same")
  func undescribed() throws {
    let log = try EventLog(segmentBytes: 600)
    for second in 1...20 {
      try log.commit(
        second: Int64(second), origin: "crossfade_ledger.quarantine", describes: false,
        [correction(Self.retried)])
    }
    #expect(try log.events().map(\.kind) == Array(repeating: .stateCorrected, count: 20))
  }

  @Test(
    "one that stands in a transaction that is not ours is nothing, and its number is not given to another",
    arguments: [nil, "", "elsewhere", "crossfade_ledge", "crossfade_ledgers", "crossfade_other", "ledger"])
  func forged(_ origin: String?) throws {
    let log = try EventLog()
    let end = try log.commit(
      second: 1, origin: origin, [correction(Self.retried), .insert(row(1, "AUTH")), correction("{")])
    #expect(try log.events().map(\.position) == [Position(endLSN: end, ordinal: 1)])
  }

  @Test("other messages of ours, and one that is not transactional, are nothing")
  func others() throws {
    let log = try EventLog()
    try log.commit(
      second: 1, origin: "crossfade_ledger",
      [
        .message(prefix: "crossfade.corrections", content: Self.retried),
        .message(prefix: "crossfade", content: "ledger"), .message(prefix: "", content: Self.retried),
        .message(prefix: "crossfade.correction", content: Self.retried, isTransactional: false),
      ])
    #expect(try log.events() == [])
  }

  @Test(
    "one of ours that cannot be read is a gap, and the next one comes",
    arguments: [
      "", "{", "{}", "[]", "null", retried + "x", retried.replacing("quarantine", with: "whim"),
      retried.replacing("[\"1\"]", with: "[\"1\", \"2\"]"), retried.replacing("[\"1\"]", with: "[]"),
      retried.replacing("[\"1\"]", with: "\"1\""), retried.replacing("[\"1\"]", with: "[null]"),
      retried.replacing("\"9\"", with: "9"), retried.replacing("\"9\"", with: "null"),
      retried.replacing("0/1100", with: "yesterday"), retried.replacing("\"code\"", with: "\"cod\""),
      retried.replacing("\"code\"", with: "\"state\""),
    ])
  func unreadable(_ content: String) throws {
    let log = try EventLog()
    try log.commit(
      second: 1, origin: "crossfade_ledger", [correction(content), correction(Self.retried)])
    let events = try log.events()
    #expect(events.map(\.kind) == [.gap, .stateCorrected])
    #expect(events.first?.gap?.reason == "a correction cannot be read")
  }

  @Test("one that was cut off anywhere is none, and no bytes make it crash")
  func bytes() {
    let whole = Array(Self.repaired.utf8)
    #expect(CorrectionMessage(whole, keyColumns: 1) != nil)
    for count in whole.indices { #expect(CorrectionMessage(Array(whole[..<count]), keyColumns: 1) == nil) }
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var damaged = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        damaged[Int.random(in: damaged.indices, using: &generator)] = .random(in: 0...255, using: &generator)
      }
      _ = CorrectionMessage(damaged, keyColumns: 1)
    }
    #expect(
      CorrectionMessage([UInt8](repeating: 0x20, count: CorrectionMessage.limit) + whole, keyColumns: 1)
        == nil)
  }

  @Test("texts come as they are: escapes, control characters, bytes that are no UTF-8")
  func texts() throws {
    let object = try #require(
      FlatObject(
        Array(#"{"a\"b":"x\\\/\b\f\n\r\t\u0001\u00e9€","n":null,"l":[],"m":["1", "\u000b"],"raw":""#.utf8)
          + [0xFF, 0xC3] + Array(#""}"#.utf8)))
    #expect(object.text("a\"b") == "x\\/\u{8}\u{C}\n\r\t\u{1}é€")
    #expect(object.text("n") == nil && object.text("l") == nil && object.text("none") == nil)
    #expect(object.texts("l") == [] && object.texts("m") == ["1", "\u{B}"] && object.texts("n") == nil)
    #expect(object.text("raw") == ExactText(bytes: [0xFF, 0xC3]))
    for bad in [
      #"{"a":"\u00g0"}"#, #"{"a":"\ud800"}"#, #"{"a":"\x"}"#, "{\"a\":\"\n\"}", #"{"a":"1",}"#,
      #"{"a":"1" "b":"2"}"#, #"{"a":{}}"#, #"{"a":true}"#, #"{"a":"1","a":"2"}"#, #"{"a":["1",]}"#,
      #"{"a":[["1"]]}"#, #"{"a"}"#, #"{"a":"1"}}"#,
      "{" + (0...FlatObject.limit).map { "\"\($0)\":null" }.joined(separator: ",") + "}",
    ] {
      #expect(FlatObject(Array(bad.utf8)) == nil, "\(bad)")
    }
  }
}
