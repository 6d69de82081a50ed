import PGOutput
import Testing

/// The assembler's rules, one by one, on streams made by hand.
@Suite("Assembly") struct AssemblerTests {
  @Test("an ordinary transaction, empty or not, is a line")
  func ordinary() throws {
    let stream = StreamBuilder()
    stream.begin(1).commit()
    stream.begin(2).relation().insert("a").insert("b").commit()
    #expect(try stream.committed() == ["1: ", "2: a b"])
  }

  @Test("a streamed transaction appears at its commit, in the order of commits")
  func streamed() throws {
    let stream = StreamBuilder()
    stream.start(1).relation(in: 1).insert("a", in: 1).stop()
    stream.start(2).relation(in: 2).insert("x", in: 2).stop()
    stream.begin(3).relation().insert("small").commit()
    stream.start(1, first: false).insert("b", in: 1).stop()
    stream.streamCommit(2).streamCommit(1)
    #expect(try stream.committed() == ["3: small", "2: x", "1: a b"])
  }

  @Test("a subtransaction's rollback cuts at its first change, and forgets those after it")
  func subtransactions() throws {
    let stream = StreamBuilder()
    stream.start(1).relation(in: 1).insert("a", in: 1).insert("s", in: 2).insert("n", in: 3)
    stream.insert("s2", in: 2).insert("b", in: 1).stop()
    stream.abort(1, 2).abort(1, 3)
    stream.start(1, first: false).relation(in: 1).insert("c", in: 1).insert("k", in: 4).stop().streamCommit(1)
    #expect(try stream.committed() == ["1: a c k"])
  }

  @Test("nested rollbacks, the inner first, cut twice")
  func nested() throws {
    let stream = StreamBuilder()
    stream.start(1).relation(in: 1).insert("s", in: 2).insert("n", in: 3).stop()
    stream.abort(1, 3).start(1, first: false).relation(in: 2).insert("m", in: 2).stop().abort(1, 2)
    stream.start(1, first: false).relation(in: 1).insert("end", in: 1).stop().streamCommit(1)
    #expect(try stream.committed() == ["1: end"])
  }

  /// Found by `make fuzz ONLY=assembler`.
  @Test("a shape described before a subtransaction's first change outlives its rollback")
  func describedJustBefore() throws {
    let stream = StreamBuilder()
    stream.start(1).relation(in: 1).insert("s", in: 2).stop().abort(1, 2)
    stream.start(1, first: false).insert("c", in: 1).stop().streamCommit(1)
    #expect(try stream.committed() == ["1: c"])
  }

  @Test("a rollback of what never came is nothing, whatever the protocol")
  func unsolicited() throws {
    let stream = StreamBuilder()
    stream.abort(9, 9).abort(9, 10).begin(1).abort(9, 9).relation().insert("a").commit()
    #expect(try stream.committed(format: .v1) == ["1: a"])
    let streamed = StreamBuilder()
    streamed.start(1).relation(in: 1).insert("a", in: 1).stop().abort(1, 77).streamCommit(1)
    #expect(try streamed.committed() == ["1: a"])
  }

  @Test("a rollback of the whole leaves nothing, nor the shapes it described")
  func wholeAbort() throws {
    let stream = StreamBuilder()
    stream.start(1).relation(in: 1).insert("a", in: 1).stop().abort(1, 1)
    #expect(try stream.committed() == [])
    stream.begin(2).insert("b").commit()
    #expect(stream.problem() == .unknownRelation(RelationID(rawValue: 7)))
  }

  @Test("a first segment voids what came of the transaction before")
  func restarted() throws {
    let stream = StreamBuilder()
    stream.start(1).relation(in: 1).insert("a", in: 1).stop()
    stream.start(1).relation(in: 1).insert("b", in: 1).stop().streamCommit(1)
    #expect(try stream.committed() == ["1: b"])
    let whole = StreamBuilder()
    whole.start(1).relation(in: 1).insert("a", in: 1).stop()
    whole.begin(1).relation().insert("b").commit()
    #expect(try whole.committed() == ["1: b"])
  }

  @Test("a shape described in a streamed block counts for its transaction, and for all once it commits")
  func scopedRelations() throws {
    let stream = StreamBuilder()
    stream.begin(1).relation(column: "old").insert("a").commit()
    stream.start(2).relation(in: 2, column: "new").insert("b", in: 2).stop()
    stream.begin(3).insert("c").commit()
    stream.streamCommit(2)
    stream.begin(4).insert("d").commit()
    let lines = try decode(stream.bytes).split(separator: "\n").map(String.init)
    #expect(lines.map { $0.contains("\"old\"") } == [true, true, false, false])
  }

  @Test("a shape described in a subtransaction that is rolled back gives way to the one before")
  func rolledBackRelation() throws {
    let stream = StreamBuilder()
    stream.start(1).relation(in: 1, column: "old").insert("a", in: 1)
    stream.relation(in: 2, column: "new").insert("b", in: 2).stop().abort(1, 2)
    stream.start(1, first: false).insert("c", in: 1).stop().streamCommit(1)
    stream.begin(2).insert("d").commit()
    let output = try decode(stream.bytes)
    #expect(output.matches(of: /"old"/).count == 3)
    #expect(!output.contains("\"new\":{\"new"))
  }

  @Test(
    "a later description stands, though the streamed transaction that brought an earlier one commits after it"
  )
  func laterRelation() throws {
    let stream = StreamBuilder()
    stream.start(2).relation(in: 2, column: "old").insert("b", in: 2).stop()
    stream.begin(3).relation(column: "new").insert("c").commit()
    stream.streamCommit(2)
    stream.begin(4).insert("d").commit()
    let lines = try decode(stream.bytes).split(separator: "\n").map(String.init)
    #expect(lines.map { $0.contains("\"old\"") } == [false, true, false])
  }

  @Test("a prepared transaction counts when it is committed; rolled back, it leaves nothing")
  func twoPhase() throws {
    let stream = StreamBuilder()
    stream.beginPrepare(1).relation().insert("a").prepare(1)
    stream.beginPrepare(2).insert("b").prepare(2)
    stream.begin(3).insert("c").commit()
    stream.rollbackPrepared(2).commitPrepared(1)
    #expect(try stream.committed() == ["3: c", "1 gid-1: a"])
  }

  @Test("a commit of what was prepared before the recording is noted, not printed as empty")
  func unseen() throws {
    let stream = StreamBuilder()
    stream.commitPrepared(5)
    var decoder = RecordingDecoder(store: MemoryLineStore())
    try decoder.feed(stream.bytes.rawBytes)
    #expect(decoder.store.output.isEmpty)
    #expect(decoder.unseen.map(\.gid) == ["gid-5"])
  }

  @Test("messages that cannot stand where they stand are refused")
  func misplaced() {
    let one = TransactionID(rawValue: 1)
    var cases: [(StreamBuilder, AssemblyError)] = []
    func add(_ expected: AssemblyError, _ build: (StreamBuilder) -> Void) {
      let stream = StreamBuilder()
      build(stream)
      cases.append((stream, expected))
    }
    add(.outsideBlock(.commit)) { $0.commit() }
    add(.outsideBlock(.insert)) { $0.relation().insert("a") }
    add(.outsideBlock(.streamStop)) { $0.stop() }
    add(.outsideBlock(.streamStop)) { $0.begin(1).stop() }
    add(.insideBlock(.begin, of: one)) { $0.begin(1).begin(2) }
    add(.insideBlock(.streamStart, of: one)) { $0.start(1).start(2) }
    add(.insideBlock(.streamCommit, of: one)) { $0.start(1).streamCommit(1) }
    add(.insideBlock(.streamAbort, of: one)) { $0.start(1).abort(1, 1) }
    add(.outsideBlock(.commit)) { $0.start(1).commit() }
    add(.outsideBlock(.prepare)) { $0.begin(1).prepare(1) }
    add(.otherTransaction(.prepare, expected: one, found: TransactionID(rawValue: 2))) {
      $0.beginPrepare(1).prepare(2)
    }
    add(.unknownTransaction(.streamStart, one)) { $0.start(1, first: false) }
    add(.unknownTransaction(.streamCommit, one)) { $0.streamCommit(1) }
    add(.unknownRelation(RelationID(rawValue: 7))) { $0.begin(1).insert("a") }
    add(.columnCount(relation: "pg_catalog.t", described: 2, sent: 1)) {
      $0.begin(1).relation(column: "a", "b").insert("a")
    }
    for (stream, expected) in cases { #expect(stream.problem() == expected) }
  }
}
