import LocalCluster
import PGOutput
import Testing

@testable import Postgres

@Suite("What the server makes of a stream's options", .timeLimit(.minutes(10)))
struct StreamOptionsServerTests {
  private static let wishes: [StreamWishes] = (0..<16).map { bits in
    StreamWishes(
      streaming: bits & 1 != 0, twoPhase: bits & 2 != 0, binary: bits & 4 != 0, withoutOrigins: bits & 8 != 0)
  }

  @Test("it takes every combination")
  func combinations() throws {
    let sql = try Server.connect()
    let name = "stream_options"
    try sql.script(
      "CREATE TABLE public.\(name) (n int PRIMARY KEY); CREATE PUBLICATION \(name) FOR TABLE public.\(name)",
      purpose: "make a table")
    for wishes in Self.wishes {
      // Each on a slot of its own: one that has been two-phase stays so. And in a session of its own: a second
      // logical stream of one walsender ends at once (`walsender.c` resets streamingDoneSending for physical ones).
      for twoPhase in [false, true] {
        let connection = try Server.connect(replication: true)
        _ = try connection.createSlot(name, twoPhase: twoPhase)
        let slot = try #require(try ReplicationSlot.find(name, on: sql))
        #expect(slot.twoPhase == (twoPhase && connection.serverVersion.major >= 14))
        let options = PgoutputOptions.negotiate(
          server: connection.serverVersion, publications: [name], wishes: wishes,
          slotIsTwoPhase: slot.twoPhase)
        let stream = try ReplicationStream(
          on: connection, slot: name, start: .invalid, options: options)
        // The plugin reads its options before it sends anything: a keepalive says that it has taken them.
        try stream.sendStatus(written: .invalid, flushed: .invalid, applied: .invalid, replyRequested: true)
        #expect(try answers(stream), "\(options.sql)")
        try stream.finish(timeoutMilliseconds: 20_000)
        if connection.serverVersion.major >= 15 {
          let after = try #require(try ReplicationSlot.find(name, on: sql))
          #expect(after.twoPhase == options.twoPhase, "\(options.sql)")
        }
        try connection.dropSlot(name)
      }
    }
  }

  @Test("it refuses a protocol past its own, and the highest is what is asked for")
  func highest() throws {
    let name = "stream_highest"
    let connection = try Server.connect(replication: true)
    _ = try connection.createSlot(name)
    var options = PgoutputOptions.negotiate(
      server: connection.serverVersion, publications: [name], wishes: StreamWishes(), slotIsTwoPhase: false)
    options.protocolVersion += 1
    let error = Server.error {
      _ = try ReplicationStream(on: connection, slot: name, start: .invalid, options: options)
    }
    #expect(error?.description.contains("proto_version=\(options.protocolVersion)") == true)
    try connection.dropSlot(name)
  }

  @Test("a slot is synchronized to standbys when it is asked to be, where the server can")
  func failover() throws {
    let name = "stream_failover"
    let sql = try Server.connect()
    let connection = try Server.connect(replication: true)
    for asked in [true, false] {
      _ = try connection.createSlot(name, failover: asked)
      let slot = try #require(try ReplicationSlot.find(name, on: sql))
      #expect(slot.failover == (asked && connection.serverVersion.major >= 17))
      #expect(!slot.synced)
      try connection.dropSlot(name)
    }
  }

  private func answers(_ stream: ReplicationStream) throws -> Bool {
    let deadline = Deadline.after(milliseconds: 20_000)
    while !deadline.hasPassed {
      switch try stream.next() {
      case .keepalive: return true
      case .ended: return false
      case .message: continue
      case .wouldBlock:
        _ = stream.wait(milliseconds: 100)
        try stream.consume()
      }
    }
    return false
  }
}
