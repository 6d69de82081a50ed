import PGOutput
import Testing

@Suite("Recordings") struct RecordingTests {
  @Test("every recording is here")
  func complete() {
    #expect(Fixture.all.count >= 16)
  }

  @Test("decodes to what its SQL committed", arguments: Fixture.all)
  func golden(_ fixture: Fixture) throws {
    #expect(try decode(fixture.recording()) == fixture.golden())
  }

  @Test("decodes the same in pieces of any size", arguments: Fixture.all)
  func pieces(_ fixture: Fixture) throws {
    let bytes = try fixture.recording()
    let golden = try fixture.golden()
    for size in bytes.count < 10_000 ? [1, 7, 64, 1000] : [997, 65_536] {
      #expect(try decode(bytes, pieces: size) == golden)
    }
  }

  @Test("every message encodes to the bytes it was decoded from", arguments: Fixture.all)
  func roundTrip(_ fixture: Fixture) throws {
    let bytes = try fixture.recording()
    var written: [UInt8] = []
    var isInside = false
    var records = RecordCursor(bytes.rawBytes)
    while let record = try records.next() {
      let message = try Message(decoding: record.payload, format: .any.insideStream(isInside))
      if case .streamStart = message { isInside = true }
      if case .streamStop = message { isInside = false }
      RecordHeader.append(encoded(message).rawBytes, walStart: record.walStart, to: &written)
    }
    try records.finish()
    #expect(written == bytes)
  }

  @Test("together hold every message that PostgreSQL 15 sends")
  func coverage() throws {
    var seen: Set<UInt8> = []
    for fixture in Fixture.all {
      let bytes = try fixture.recording()
      var records = RecordCursor(bytes.rawBytes)
      while let record = try records.next() { seen.insert(record.payload.byte(at: 0)) }
    }
    #expect(Set(MessageTag.allCases.map(\.rawValue)) == seen)
  }

  @Test("a recording cut at a record keeps its complete transactions and names the one that is open")
  func cutAtRecord() throws {
    let bytes = try Fixture(name: "identities").recording()
    var offsets: [Int] = []
    var records = RecordCursor(bytes.rawBytes)
    while let record = try records.next() { offsets.append(Int(record.offset)) }
    var decoder = RecordingDecoder(store: MemoryLineStore())
    try decoder.feed(bytes.rawBytes.extracting(0..<offsets[offsets.count - 1]))
    try decoder.finish()
    let complete = try Fixture(name: "identities").golden().split(separator: "\n").dropLast()
    #expect(decoder.store.output.split(separator: UInt8(ascii: "\n")).count == complete.count)
    #expect(decoder.unfinished.map(\.state) == [.open])
    #expect(decoder.unfinished.map(\.changeCount) == [1])
  }

  @Test("the protocol that was not spoken is damage, with a hint")
  func wrongProtocol() throws {
    let bytes = try Fixture(name: "two-phase").recording()
    let failure = #expect(throws: RecordingFailure<Never>.self) {
      try decode(bytes, format: StreamFormat(protocolVersion: .v2))
    }
    guard case .recording(let error) = failure else { return }
    #expect(
      error.description
        == "byte 12: Begin Prepare ('b'), byte 0: needs protocol 3, but protocol 2 was spoken")
    #expect(error.hint == "leave --protocol away, or say --protocol 3")
  }
}
