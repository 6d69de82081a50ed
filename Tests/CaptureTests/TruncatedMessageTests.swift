import PGOutput
import Testing

@testable import Capture

@Suite("Messages cut short") struct TruncatedMessageTests {
  /// Streams that bring the framer into each of its states.
  private static let states = ["", "B20", "B20 Oelsewhere", "B20 I7", "B20 Oours"]

  private func problem(_ payload: [UInt8], after stream: String) throws -> String? {
    var log = FramedLog()
    try log.take(stream)
    do {
      try log.take(payload)
      return nil
    } catch {
      guard case CaptureError.protocolViolation(_, let what) = error else {
        return "not a violation: \(error)"
      }
      return what
    }
  }

  @Test("an empty message is refused but where 13 and 14 send one: in the place of an origin without a name")
  func nothing() throws {
    for state in ["", "B20 I7", "B20 Oours", "b3:20:30"] {
      #expect(try problem([], after: state) == "an empty message")
    }
    for state in ["B20", "B20 Oelsewhere", "S3"] { #expect(try problem([], after: state) == nil) }
  }

  @Test(
    "a message whose fields are read here is refused at every length but its own",
    arguments: [
      ("B20", "", "a begin of"), ("C20:30", "B20", "a commit of"), ("C20:30", "B20 I7", "a commit of"),
      ("C20:30", "B20 Oours", "a commit of"),
    ])
  func fixed(word: Substring, state: String, problem text: String) throws {
    let whole = StreamScript.bytes(word)
    for length in 1..<whole.count {
      #expect(try problem(Array(whole.prefix(length)), after: state) == "\(text) \(length) bytes")
    }
    #expect(try problem(whole + [0], after: state) == "\(text) \(whole.count + 1) bytes")
    #expect(try problem(whole, after: state) == nil)
  }

  @Test("an origin without the end of its name is refused in every state", arguments: states)
  func origin(_ state: String) throws {
    let whole = StreamScript.bytes("Oelsewhere")
    for length in 1..<whole.count {
      #expect(try problem(Array(whole.prefix(length)), after: state) == "an origin of \(length) bytes")
    }
  }

  @Test("a logical message shorter than its fixed fields is refused in every state", arguments: states)
  func message(_ state: String) throws {
    for word in ["Mcrossfade/slot", "Ncrossfade/slot"] as [Substring] {
      let whole = StreamScript.bytes(word)
      for length in 1..<15 {
        #expect(
          try problem(Array(whole.prefix(length)), after: state) == "a logical message of \(length) bytes")
      }
    }
  }

  @Test("a mark cut short is not ours: its transaction is not dropped")
  func mark() throws {
    let whole = StreamScript.bytes("Mcrossfade/slot")
    for length in 15..<whole.count {
      var log = FramedLog()
      try log.take("B20")
      try log.take(Array(whole.prefix(length)))
      #expect(log.words.first == "B20")
    }
  }

  @Test("no bytes of any kind and length trap, in any state", arguments: states)
  func anything(_ state: String) throws {
    for tag in UInt8.min...UInt8.max {
      for length in 0..<32 {
        for filling in [0x00, 0xFF] as [UInt8] {
          var log = FramedLog()
          try log.take(state)
          let payload = [tag] + Array(repeating: filling, count: length)
          do {
            _ = try payload.withUnsafeBytes { try log.framer.accept(walStart: .max, payload: $0) }
          } catch CaptureError.protocolViolation {
          } catch CaptureError.refused(.preparedMissing(gid: "", xid: 0, commit: _)) {
            // Zeros are a whole commit of a prepared transaction.
          } catch {
            Issue.record("\(error)")
          }
        }
      }
    }
  }
}
