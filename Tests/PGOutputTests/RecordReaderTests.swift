import PGOutput
import Testing

@Suite("Records") struct RecordReaderTests {
  private func records(_ bytes: [UInt8], pieces: Int) throws -> [String] {
    var reader = RecordReader()
    var found: [String] = []
    for start in stride(from: 0, to: bytes.count, by: pieces) {
      reader.feed(bytes.rawBytes.extracting(start..<min(start + pieces, bytes.count)))
      while let record = try reader.next() {
        found.append("\(record.offset) \(record.walStart) \(hex(Array(record.payload)))")
      }
    }
    try reader.finish()
    return found
  }

  @Test("the layout, byte for byte")
  func layout() {
    var bytes: [UInt8] = []
    RecordHeader.append(hex("42 43").rawBytes, walStart: LSN(rawValue: 0x16_B374_D848), to: &bytes)
    #expect(hex(bytes) == "00000002" + "00000016b374d848" + "4243")
    #expect(bytes.count == RecordHeader.size + 2)
  }

  @Test("are the same in pieces of any size", arguments: [1, 2, 11, 12, 13, 14, 1000])
  func pieces(_ size: Int) throws {
    var bytes: [UInt8] = []
    RecordHeader.append(hex("42 43").rawBytes, walStart: LSN(rawValue: 1), to: &bytes)
    RecordHeader.append([UInt8]().rawBytes, walStart: .invalid, to: &bytes)
    RecordHeader.append(hex("45").rawBytes, walStart: LSN(rawValue: .max), to: &bytes)
    #expect(
      try records(bytes, pieces: size) == ["0 0/1 4243", "14 0/0 ", "26 FFFFFFFF/FFFFFFFF 45"])
  }

  @Test("a file of no records is one")
  func empty() throws {
    #expect(try records([], pieces: 1) == [])
  }

  @Test("a cut within a header or a message names where its record begins")
  func cut() throws {
    var bytes: [UInt8] = []
    RecordHeader.append(hex("42").rawBytes, walStart: LSN(rawValue: 1), to: &bytes)
    RecordHeader.append(hex("43 44").rawBytes, walStart: LSN(rawValue: 1), to: &bytes)
    for (length, says) in [
      (5, "byte 0: the file ends within a record: 5 of the header's 12 bytes are there"),
      (24, "byte 13: the file ends within a record: 11 of the header's 12 bytes are there"),
      (26, "byte 13: the file ends within a record: 1 of the message's 2 bytes are there"),
    ] {
      for size in [1, 1000] {
        let error = #expect(throws: RecordError.self) {
          try records(Array(bytes.prefix(length)), pieces: size)
        }
        #expect(error?.description == says)
      }
    }
  }

  @Test("a length that no message has is damage at once, not a wait for a gigabyte")
  func tooLong() throws {
    // The first bytes of a segment of the change log: LZ4's magic number for a skippable frame.
    let error = #expect(throws: RecordError.self) {
      try records(hex("502a4d18 00000000 00000000"), pieces: 1000)
    }
    #expect(
      error?.description == "byte 0: a record of 1344949528 bytes is longer than any message of PostgreSQL")
  }
}
