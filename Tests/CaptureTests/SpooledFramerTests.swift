import PGOutput
import Testing

@testable import Capture

@Suite("The framer and streamed transactions") struct StreamedFramerTests {
  @Test("a streamed transaction gets to the log at its commit, whole, as protocol 1 has it")
  func whole() throws {
    #expect(
      try framed("S3 R7@3 I7@3 E S3 R7@3 U7@3 E s3 D7@3 Y8@3 R9@3 T9@3 Mapp/x@3 E c3:20:30")
        == "B20 R7 U7 D7 Y8 R9 T9 Mapp/x C20:30")
  }

  @Test(
    "blocks of several interleave with each other and with ordinary transactions; the order is that of the commits"
  )
  func interleaved() throws {
    #expect(
      try framed(
        "S3 R7@3 I7@3 E S4 R7@4 U7@4 E B10 R7 D7 C10:11 s3 I7@3 E Napp/x c4:20:30 s3 T7@3 E c3:40:50")
        == "B10 R7 D7 C10:11 Napp/x B20 R7 U7 C20:30 B40 R7 I7 I7 T7 C40:50")
  }

  @Test("a foreign origin stays at the head; ours leaves the end only, however it shows")
  func origins() throws {
    #expect(try framed("S3 Oelsewhere R7@3 I7@3 E c3:20:30") == "B20 Oelsewhere R7 I7 C20:30")
    for mark in ["Oours", "Oelsewhere Oours", "Mcrossfade/slot@3", "Oelsewhere Mcrossfade/slot@3"] {
      var log = FramedLog()
      try log.take("S3 \(mark) R7@3 I7@3 E s3 U7@3 E")
      #expect(log.spooledWords == 0)
      try log.take("c3:20:30 B40 I7 C40:50")
      #expect(log.text == "-30 B40 R7 I7 C40:50", "\(mark)")
    }
    #expect(try framed("S3 R7@3 Mcrossfade/slot@3 I7@3 E c3:20:30") == "B20 R7 Mcrossfade/slot I7 C20:30")
  }

  @Test("what leaves no change leaves its end only")
  func empty() throws {
    #expect(try framed("S3 R7@3 E c3:20:30") == "-30")
    #expect(try framed("S3 R7@3 I7@4 E A3:4 c3:20:30") == "-30")
  }

  @Test("a rolled back transaction leaves nothing")
  func rolledBack() throws {
    var log = FramedLog()
    try log.take("S3 R7@3 I7@3 E A3:3 B20 R7 I7 C20:30")
    #expect(log.text == "B20 R7 I7 C20:30")
    #expect(log.spooledWords == 0)
  }

  @Test(
    "a subtransaction's rollback takes all since its first record, whatever came since",
    arguments: [
      ("S3 I7@3 U7@4 E A3:4 s3 D7@3 E", "I7 D7"),
      // Nested: 5 in 4.
      ("S3 I7@3 U7@4 D7@5 E A3:5 s3 I7@4 E", "I7 U7 I7"),
      ("S3 I7@3 U7@4 D7@5 U7@4 E A3:4 s3 I7@3 E", "I7 I7"),
      // The outer one's abort comes first, the inner one's has nothing left to cut.
      ("S3 I7@3 U7@4 D7@5 E A3:4 A3:5 s3 I7@6 E", "I7 I7"),
      // Released ones stay, an unknown one is nothing.
      ("S3 I7@4 U7@5 E A3:9 A3:2 s3 D7@3 E", "I7 U7 D7"),
      // The parent's number is lower, its first change later.
      ("S3 I7@3 U7@6 D7@5 E A3:6 s3 I7@3 E", "I7 I7"),
      ("S3 I7@3 U7@6 D7@5 E A3:5 s3 I7@3 E", "I7 U7 I7"),
      // Twice in the same place.
      ("S3 I7@3 U7@4 E A3:4 s3 U7@5 E A3:5 s3 D7@6 E", "I7 D7"),
      ("S3 I7@3 E s3 U7@4 E s3 U7@4 D7@5 E s3 T7@6 E A3:5", "I7 U7 U7"),
    ])
  func rollbacks(stream: String, kept: String) throws {
    #expect(try framed("\(stream) c3:20:30") == "B20 \(kept) C20:30")
  }

  @Test(
    "what the server has rolled back without saying so is taken out at the end, and the rest stays",
    arguments: [
      ("S3 R7@3 I7@3 U7@4 E s3 D7@3 E", [4], "R7 I7 D7"),
      // Found by `make fuzz ONLY=capture`: what was described inside is not described again.
      ("S3 R7@4 I7@4 U7@3 E", [4], "R7 U7"),
      ("S3 I9@4 R7@4 I7@4 Y8@4 D7@4 U7@3 E", [4], "R7 Y8 U7"),
      ("S3 R7@4 I7@4 U7@5 D7@4 T7@3 E", [5], "R7 I7 D7 T7"),
      ("S3 R7@3 I7@4 U7@5 D7@4 T7@3 E", [4, 5], "R7 T7"),
      ("S3 R7@3 I7@4 U7@4 E s3 T7@6 E", [6], "R7 I7 U7"),
      ("S3 R7@3 I7@4 U7@5 E A3:5 s3 D7@6 E", [6], "R7 I7"),
      ("S3 R7@3 I7@4 U7@5 E", [], "R7 I7 U7"),
    ])
  func silentRollback(stream: String, gone: [UInt32], kept: String) throws {
    for end in ["c3:20:30", "p3:20:30 K3:20:30"] {
      var log = FramedLog()
      log.rolledBack = Set(gone.map(TransactionID.init))
      try log.take("\(stream) \(end)")
      #expect(
        log.words.suffix(kept.split(separator: " ").count + 2).joined(separator: " ") == "B20 \(kept) C20:30")
      #expect(log.asked.count == 1)
    }
  }

  @Test(
    "one of which nothing stays leaves its end only; one without savepoints, or of our own, is not asked about"
  )
  func silentRollbackOfAll() throws {
    var log = FramedLog()
    log.rolledBack = [TransactionID(rawValue: 4)]
    try log.take("S3 R7@4 I7@4 E c3:20:30")
    #expect(log.text == "-30")
    #expect(
      log.asked == [.init(xid: TransactionID(rawValue: 3), subtransactions: [TransactionID(rawValue: 4)])])
    try log.take("S5 R7@5 I7@5 E c5:40:50 S6 Oours I7@7 E c6:60:70 S8 I7@9 E A8:9 c8:80:90")
    #expect(log.asked.count == 1)
  }

  @Test("a hundred thousand savepoints inside each other's blocks are kept account of in no time")
  func manySavepoints() throws {
    // Each returns to the outer one, whose first record is the oldest: a search of all runs would be quadratic.
    var transaction = SpooledTransaction(xid: TransactionID(rawValue: 10), walStart: 0)
    let outer = TransactionID(rawValue: 11)
    for number in 0..<100_000 as Range<UInt32> {
      let parent = TransactionID(rawValue: 12 + 2 * number)
      for owner in [outer, TransactionID(rawValue: 13 + 2 * number), parent, outer] {
        transaction.enter(owner)
        transaction.add(bytes: 20, isChange: true)
      }
    }
    #expect(transaction.subtransactions.count == 200_001)
    #expect(transaction.rollBack(TransactionID(rawValue: 5)) == nil)
    #expect(transaction.rollBack(TransactionID(rawValue: 12 + 2 * 99_999)) == 99_999 * 80 + 40)
    #expect(transaction.rollBack(outer) == 0)
    #expect(transaction.subtransactions.isEmpty)
  }

  @Test("transaction numbers wrap around")
  func wraparound() throws {
    let (old, new) = (UInt32.max, UInt32(3))
    #expect(
      try framed("S\(old - 1) I7@\(old - 1) U7@\(old) D7@\(new) E A\(old - 1):\(new) c\(old - 1):20:30")
        == "B20 I7 U7 C20:30")
  }

  @Test("an unsolicited or unknown stream abort is nothing, anywhere")
  func unknownAbort() throws {
    #expect(
      try framed("A9:9 B20 A9:10 I7 A C20:30 S3 I7@3 A9:9 E A9:9 c3:40:50")
        == "B20 I7 C20:30 B40 I7 C40:50")
  }

  @Test(
    "a table described inside a stream counts outside of it once that has committed, and never if it is rolled back"
  )
  func descriptions() throws {
    #expect(try framed("S3 R7@3 I7@3 E c3:20:30 B40 I7 C40:50") == "B20 R7 I7 C20:30 B40 I7 C40:50")
    // Ours: the log is told at the next change.
    #expect(
      try framed("S3 Oours Y8@3 R7@3 I7@3 E c3:20:30 B40 I7 C40:50 B60 I7 C60:70")
        == "-30 B40 Y8 R7 I7 C40:50 B60 I7 C60:70")
    #expect(try framed("S3 Oours R7@4 I7@4 E A3:4 c3:20:30 B40 I8 C40:50") == "-30 B40 I8 C40:50")
    #expect(try framed("S3 Oours R7@3 I7@3 E A3:3 B40 I8 C40:50") == "B40 I8 C40:50")
  }

  @Test(
    "a description that is older than the connection's does not win because its transaction commits later")
  func olderDescription() throws {
    var log = FramedLog()
    let (old, new) = (relation(columns: 1), relation(columns: 2))
    try log.take("S3")
    try log.take(streamed(old, by: 3))
    try log.take("I7@3 E B10")
    try log.take(new)
    try log.take("U7 C10:11 c3:20:30 B40 I7 C40:50 B60 I7 C60:70")
    #expect(log.text == "B10 R7 U7 C10:11 B20 R7 I7 C20:30 B40 R7 I7 C40:50 B60 I7 C60:70")
  }

  private func relation(columns: Int) -> [UInt8] {
    var writer = WireWriter()
    Relation(
      id: RelationID(rawValue: 7), namespace: "public", name: "t", replicaIdentity: .default,
      columns: (0..<columns).map {
        Column(isKey: $0 == 0, name: "c\($0)", type: TypeOID(rawValue: 20))
      }
    ).encode(to: &writer)
    return writer.bytes
  }

  private func streamed(_ payload: [UInt8], by xid: UInt32) -> [UInt8] {
    var bytes = payload
    bytes.insert(contentsOf: withUnsafeBytes(of: xid.bigEndian) { Array($0) }, at: 1)
    return bytes
  }

  @Test("what stands open is known")
  func open() throws {
    var log = FramedLog()
    try log.take("S3 I7@3 E S4 I7@4")
    #expect(log.framer.isInsideTransaction)
    try log.take("E")
    #expect(!log.framer.isInsideTransaction)
    #expect(log.framer.openStreams.count == 2)
    try log.take("A3:3 c4:20:30")
    #expect(log.framer.openStreams == (0, 0))
  }

  @Test(
    "what breaks the order of a stream is refused with its place",
    arguments: [
      ("S3 S4", "0/2: the beginning of a streamed block inside a transaction"),
      ("B20 S3", "0/2: the beginning of a streamed block inside a transaction"),
      ("E", "0/1: the end of a streamed block outside of one"),
      ("B20 E", "0/2: the end of a streamed block outside of one"),
      ("s3", "0/1: more of transaction 3, whose first block was not sent"),
      ("c3:20:30", "0/1: a commit of transaction 3, of which nothing was streamed"),
      ("S3 I7@3 E A3:3 c3:20:30", "0/5: a commit of transaction 3, of which nothing was streamed"),
      ("S3 c3:20:30", "0/2: a stream commit inside a transaction"),
      ("S3 B20", "0/2: a begin inside a transaction"),
      ("S3 C20:30", "0/2: a commit inside another transaction's block"),
      ("B20 P3:20:30", "0/2: a prepare inside another transaction"),
      ("b3:20:30 I7 P4:20:30", "0/3: a prepare of transaction 4 inside the block of 3"),
      ("b3:20:30 K4:40:50", "0/2: a commit prepared inside a transaction"),
      ("p3:20:30", "0/1: a prepare of transaction 3, of which nothing was streamed"),
      ("X", "0/1: message 'X', byte 0: no such message"),
    ])
  func order(stream: String, problem: String) {
    #expect(violation(stream) == problem)
  }
}

@Suite("The framer and prepared transactions") struct PreparedFramerTests {
  @Test("a prepared transaction gets to the log when it is committed, not before")
  func committed() throws {
    #expect(
      try framed("b3:20:30 R7 I7 P3:20:30 B40 R7 U7 C40:50 K3:60:70")
        == "=30 -30 B40 R7 U7 C40:50 B60 R7 I7 C60:70")
    #expect(try framed("S3 R7@3 I7@3 E p3:20:30 K3:60:70") == "=30 -30 B60 R7 I7 C60:70")
  }

  @Test("one that is rolled back leaves nothing; of an unknown one it is nothing")
  func rolledBack() throws {
    var log = FramedLog()
    try log.take("b3:20:30 R7 I7 P3:20:30")
    #expect(log.framer.pending.map(\.gid) == ["g3"])
    try log.take("r3:30:50 r9:30:60")
    #expect(log.framer.pending.isEmpty)
    #expect(log.text == "=30 -30 -50 -60")
  }

  @Test("an origin stays; our own leave nothing")
  func origins() throws {
    #expect(
      try framed("b3:20:30 Oelsewhere R7 I7 P3:20:30 K3:60:70") == "=30 -30 B60 Oelsewhere R7 I7 C60:70")
    #expect(
      try framed("b3:20:30 Oours R7 I7 P3:20:30 K3:60:70 B80 I7 C80:90") == "=30 -30 -70 B80 R7 I7 C80:90")
    #expect(try framed("S3 Oours R7@3 I7@3 E p3:20:30 K3:60:70") == "=30 -30 -70")
  }

  @Test("an empty one is known all the same: its commit is no surprise")
  func empty() throws {
    #expect(try framed("b3:20:30 P3:20:30 K3:60:70") == "=30 -30 -70")
  }

  @Test("its spool describes all that it changes, as the connection knows it")
  func describedAlone() throws {
    #expect(
      try framed("B10 Y8 R7 R9 R5 I7 C10:11 b3:20:30 I7 T9 I7 P3:20:30 K3:60:70")
        .hasSuffix("=30 -30 B60 Y8 R7 I7 T9 I7 C60:70"))
  }

  @Test("what it describes counts for the connection at once, and the log is told")
  func describedFirst() throws {
    #expect(
      try framed("b3:20:30 R7 I7 P3:20:30 B40 U7 C40:50 K3:60:70 B80 D7 C80:90")
        == "=30 -30 B40 R7 U7 C40:50 B60 R7 I7 C60:70 B80 D7 C80:90")
    #expect(
      try framed("b3:20:30 R7 I7 P3:20:30 r3:30:50 B80 D7 C80:90") == "=30 -30 -50 B80 R7 D7 C80:90")
  }

  @Test(
    "one prepared before this process began is committed from its spool, and what is known is said again after it"
  )
  func earlier() throws {
    let prepared = PreparedTransaction(
      xid: TransactionID(rawValue: 3), gid: "g3", prepareLSN: LSN(rawValue: 20), endLSN: LSN(rawValue: 30),
      prepareTime: Timestamp(rawValue: 0), changes: 1, bytes: 17)
    var log = FramedLog(prepared: [prepared])
    try log.take("B40 R7 I7 C40:50 K3:60:70 B80 I7 C80:90")
    // The array of this test's store does not hold what another process spooled.
    #expect(log.text == "B40 R7 I7 C40:50 B60 nothing C60:70 B80 R7 I7 C80:90")
  }

  @Test("the commit of one whose changes are nowhere is refused, with the way back")
  func missing() {
    for stream in ["K3:60:70", "b3:20:30 I7 P3:20:30 r3:30:50 K3:60:70"] {
      var log = FramedLog()
      let error = #expect(throws: CaptureError.self) { try log.take(stream) }
      guard case .refused(.preparedMissing(let gid, 3, _))? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(gid == "g3")
    }
  }

  @Test(
    "an end without a beginning is an empty one; a commit alone is nothing where the spool is known to be complete"
  )
  func bare() throws {
    #expect(try framed("P3:20:30 K3:60:70") == "=30 -30 -70")
    #expect(try framed("P3:20:30 r3:30:50") == "=30 -30 -50")
    var log = FramedLog(spoolIsComplete: true)
    try log.take("K3:60:70 B80 I7 C80:90")
    #expect(log.text == "-70 B80 I7 C80:90")
  }

  @Test("a number used again, after a prepare that never came, begins anew")
  func again() throws {
    var log = FramedLog()
    try log.take("b3:20:30 R7 I7")
    #expect(log.framer.isInsideTransaction)
    log.framer = StreamFramer(ownOrigin: "ours", ownPrefix: "crossfade", ownContent: "slot")
    try log.take("b3:20:30 R7 U7 P3:20:30 K3:60:70")
    #expect(log.text == "=30 -30 B60 R7 U7 C60:70")
  }
}
