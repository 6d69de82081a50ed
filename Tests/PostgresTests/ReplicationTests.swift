import LocalCluster
import PGOutput
import Testing

@testable import Postgres

@Suite("Replication", .timeLimit(.minutes(10))) struct ReplicationTests {
  private let sql: Connection

  init() throws { sql = try Server.connect() }

  /// A slot of its own with a publication of one table, both named after the test.
  private func replication(_ name: String, publication: String? = nil) throws -> (Connection, LSN) {
    let quoted = SQLText.identifier(publication ?? name)
    try sql.script(
      "CREATE TABLE public.\(name) (n int PRIMARY KEY); CREATE PUBLICATION \(quoted) FOR TABLE public.\(name)",
      purpose: "make a table")
    let connection = try Server.connect(replication: true)
    return (connection, try connection.createSlot(name).consistentPoint)
  }

  private func stream(_ connection: Connection, _ name: String, publication: String? = nil) throws
    -> ReplicationStream
  {
    try ReplicationStream(
      on: connection, slot: name, start: .invalid,
      options: .negotiate(
        server: connection.serverVersion, publications: [publication ?? name], wishes: StreamWishes(),
        slotIsTwoPhase: false))
  }

  private func confirmed(_ name: String) throws -> LSN? {
    try ReplicationSlot.find(name, on: sql)?.confirmedFlushLSN
  }

  /// Reads until `body` gives something.
  private func read<Value>(
    _ stream: ReplicationStream, _ body: (ReplicationEvent) throws -> Value?
  ) throws -> Value? {
    let deadline = Deadline.after(milliseconds: 20_000)
    while !deadline.hasPassed {
      let event = try stream.next()
      if let value = try body(event) { return value }
      if case .wouldBlock = event {
        _ = stream.wait(milliseconds: 100)
        try stream.consume()
      }
    }
    return nil
  }

  /// The end of the next transaction.
  private func commit(_ stream: ReplicationStream) throws -> LSN? {
    try read(stream) { event in
      guard case .message(_, let payload) = event, payload.first == UInt8(ascii: "C") else { return nil }
      return LSN(
        rawValue: UInt64(bigEndian: payload.loadUnaligned(fromByteOffset: 10, as: UInt64.self)))
    }
  }

  @Test("the system says who it is, as the catalogs know it")
  func identify() throws {
    let system = try Server.connect(replication: true).identifySystem()
    #expect(
      try sql.column("SELECT system_identifier FROM pg_control_system()") == ["\(system.systemIdentifier)"])
    #expect(system.timeline == 1)
    #expect(system.database == "postgres")
    #expect(system.flushedLSN.isValid)
    #expect(Server.error { _ = try sql.identifySystem() }?.sqlState == SQLState(rawValue: "42601"))
  }

  @Test("a slot is made, found with what is known of it, refused twice, and dropped")
  func slots() throws {
    let name = "slot_life"
    let connection = try Server.connect(replication: true)
    #expect(try ReplicationSlot.find(name, on: sql) == nil)
    let created = try connection.createSlot(name)
    #expect(created.snapshotName == nil)
    let found = try #require(try ReplicationSlot.find(name, on: sql))
    #expect(found.confirmedFlushLSN == created.consistentPoint)
    #expect(found.plugin == "pgoutput" && found.database == "postgres" && found.activePID == nil)
    #expect(found.walStatus == "reserved" && !found.isLost)
    #expect(Server.error { _ = try connection.createSlot(name) }?.sqlState == .duplicateObject)
    try connection.dropSlot(name)
    #expect(try ReplicationSlot.find(name, on: sql) == nil)
    #expect(Server.error { try connection.dropSlot(name) }?.sqlState == .undefinedObject)
  }

  @Test("an exported snapshot can be used by another session")
  func snapshot() throws {
    let connection = try Server.connect(replication: true)
    let created = try connection.createSlot("slot_snapshot", exportingSnapshot: true)
    let name = try #require(created.snapshotName)
    let other = try Server.connect()
    try other.script(
      "BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT \(SQLText.literal(name)); COMMIT",
      purpose: "use the snapshot")
    try connection.dropSlot("slot_snapshot")
  }

  @Test("a transaction arrives, and confirmed_flush_lsn moves to what was flushed, exactly and never back")
  func confirmation() throws {
    let (connection, start) = try replication("confirming")
    let stream = try stream(connection, "confirming")
    try sql.query("INSERT INTO public.confirming VALUES (1)", purpose: "insert")
    let first = try #require(try commit(stream))
    #expect(first > start)
    try sql.query("INSERT INTO public.confirming VALUES (2)", purpose: "insert")
    let second = try #require(try commit(stream))

    // Written and applied do not move the slot.
    try stream.sendStatus(written: second, flushed: .invalid, applied: second)
    try stream.sendStatus(written: second, flushed: first, applied: .invalid)
    #expect(try eventually(within: .seconds(20)) { try confirmed("confirming") == first })
    try stream.sendStatus(written: second, flushed: second, applied: second)
    #expect(try eventually(within: .seconds(20)) { try confirmed("confirming") == second })
    try stream.finish(timeoutMilliseconds: 20_000)
    #expect(try confirmed("confirming") == second)
    try connection.dropSlot("confirming")
  }

  @Test("a keepalive answers a status update that asks for one")
  func keepalive() throws {
    let (connection, start) = try replication("keeping_alive")
    let stream = try stream(connection, "keeping_alive")
    try stream.sendStatus(written: start, flushed: start, applied: start, replyRequested: true)
    let sent = try read(stream) { event -> LSN? in
      guard case .keepalive(let sent, let time, _) = event else { return nil }
      #expect(abs(time - ReplicationStream.clock()) < 60_000_000)
      return sent
    }
    #expect(sent.map { $0 >= start } == true)
    try stream.finish(timeoutMilliseconds: 20_000)
    try connection.dropSlot("keeping_alive")
  }

  @Test("a stream that ended in order leaves a session that goes on, with nothing of the stream in it")
  func finish() throws {
    let (connection, _) = try replication("finishing")
    let stream = try stream(connection, "finishing")
    try sql.query("INSERT INTO public.finishing SELECT generate_series(1, 5000)", purpose: "insert")
    _ = try commit(stream)
    try sql.query("DELETE FROM public.finishing", purpose: "delete")
    try stream.finish(timeoutMilliseconds: 20_000)
    #expect(try connection.identifySystem().timeline == 1)
    #expect(try ReplicationSlot.find("finishing", on: sql)?.activePID == nil)
    try connection.dropSlot("finishing")
  }

  @Test("a stop does not cut an orderly end short")
  func finishWhileStopped() throws {
    let (connection, _) = try replication("stopping")
    let interrupt = try #require(Interrupt())
    let second = try Server.connect(replication: true, interrupt: interrupt)
    let stream = try stream(second, "stopping")
    interrupt.stop()
    try stream.finish(timeoutMilliseconds: 20_000)
    #expect(
      try eventually(within: .seconds(20)) { try ReplicationSlot.find("stopping", on: sql)?.activePID == nil }
    )
    try connection.dropSlot("stopping")
  }

  @Test("a nudge ends a wait for the stream once; a slot in use is refused with its state")
  func nudge() throws {
    let (connection, _) = try replication("nudged")
    let interrupt = try #require(Interrupt())
    let second = try Server.connect(replication: true, interrupt: interrupt)
    let stream = try stream(second, "nudged")
    interrupt.nudge()
    let woken = try read(stream) { _ -> Bool? in
      if case .interrupted = stream.wait(milliseconds: 20_000) { return true }
      try stream.consume()
      return nil
    }
    #expect(woken == true)
    #expect(
      eventually(within: .seconds(20)) {
        Server.error { _ = try self.stream(connection, "nudged") }?.sqlState == .objectInUse
      })
    try stream.finish(timeoutMilliseconds: 20_000)
    try connection.dropSlot("nudged")
  }

  @Test("a publication with quotes and a backslash in its name is found by that name")
  func publicationName() throws {
    let publication = #"it's "a" back\slash, or two"#
    let (connection, _) = try replication("odd_name", publication: publication)
    let stream = try stream(connection, "odd_name", publication: publication)
    try sql.query("INSERT INTO public.odd_name VALUES (1)", purpose: "insert")
    #expect(try commit(stream) != nil)
    try stream.finish(timeoutMilliseconds: 20_000)
    try connection.dropSlot("odd_name")
  }

  @Test("a server that goes away ends the stream with an error worth another try")
  func terminated() throws {
    let (connection, _) = try replication("terminating")
    let stream = try stream(connection, "terminating")
    #expect(try sql.endSession(connection.backendPID))
    let error = Server.error {
      _ = try read(stream) { event -> Bool? in
        if case .ended = event { return true }
        return nil
      }
    }
    #expect(error?.isRetriable == true && error?.isConnectionGone == true)
    try Server.connect(replication: true).dropSlot("terminating")
  }
}
