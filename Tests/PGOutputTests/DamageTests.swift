import PGOutput
import Testing

/// The negative space: whatever is done to a recording, its reader answers with text or a typed error that names a
/// byte within the file, and never traps. The seed is fixed, so a failure can be repeated.
@Suite("Damaged recordings") struct DamageTests {
  /// Decodes; checks that an error, if any, names a byte of the file. Gives whether there was one.
  @discardableResult
  private func survives(_ bytes: [UInt8], _ format: StreamFormat = .any) throws -> Bool {
    var decoder = RecordingDecoder(store: MemoryLineStore(), format: format)
    do throws(RecordingFailure<Never>) {
      try decoder.feed(bytes.rawBytes)
      try decoder.finish()
      return false
    } catch {
      guard case .recording(let damage) = error else { return true }
      #expect(damage.byte <= UInt64(bytes.count))
      #expect(!damage.description.isEmpty && !damage.hint.isEmpty)
      return true
    }
  }

  /// Enough of a recording to hold every kind of its messages, and short enough to be read thousands of times.
  private func sample(_ fixture: Fixture) throws -> [UInt8] {
    let bytes = try fixture.recording()
    guard bytes.count > 4_000 else { return bytes }
    var kept: [UInt8] = []
    var last: [UInt8: Int] = [:]
    var records = RecordCursor(bytes.rawBytes)
    while let record = try records.next() {
      let tag = record.payload.byte(at: 0)
      last[tag, default: 0] += 1
      let isRow = [UInt8(ascii: "I"), UInt8(ascii: "U"), UInt8(ascii: "D")].contains(tag)
      if isRow && (last[tag] ?? 0) % 40 != 1 { continue }
      RecordHeader.append(record.payload, walStart: record.walStart, to: &kept)
    }
    return kept
  }

  /// How often a recording is damaged: thousands of times if it is short, so that all of it stays within seconds.
  private func rounds(_ bytes: [UInt8]) -> Int { max(100, min(1_500, 400_000 / max(1, bytes.count))) }

  @Test("flipped: a byte changed to any other", arguments: Fixture.all)
  func flipped(_ fixture: Fixture) throws {
    var random = SeededGenerator(state: 1)
    let bytes = try sample(fixture)
    for _ in 0..<rounds(bytes) {
      var damaged = bytes
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 0..<bytes.count, using: &random)
        damaged[index] ^= UInt8.random(in: 1...255, using: &random)
      }
      try survives(damaged)
    }
  }

  @Test("truncated: all but record boundaries are damage", arguments: Fixture.all)
  func truncated(_ fixture: Fixture) throws {
    var random = SeededGenerator(state: 2)
    let bytes = try sample(fixture)
    var boundaries: Set<Int> = [0]
    var records = RecordCursor(bytes.rawBytes)
    while try records.next() != nil { boundaries.insert(records.position) }
    let lengths =
      bytes.count < 1_000
      ? Array(0..<bytes.count)
      : (0..<rounds(bytes)).map { _ in Int.random(in: 0..<bytes.count, using: &random) }
    for length in lengths {
      #expect(try survives(Array(bytes.prefix(length))) == !boundaries.contains(length))
    }
  }

  @Test(
    "spliced: parts left out, doubled, exchanged and taken from another recording", arguments: Fixture.all)
  func spliced(_ fixture: Fixture) throws {
    var random = SeededGenerator(state: 3)
    let bytes = try sample(fixture)
    let other = try sample(Fixture.all.randomElement(using: &random) ?? fixture)
    for _ in 0..<rounds(bytes) {
      let source = Bool.random(using: &random) ? bytes : other
      let from = Int.random(in: 0..<source.count, using: &random)
      let to = Int.random(in: from..<min(source.count, from + 200), using: &random)
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let end = min(bytes.count, place + Int.random(in: 0...100, using: &random))
      try survives(Array(bytes[..<place]) + Array(source[from...to]) + Array(bytes[end...]))
    }
  }

  @Test("spliced by whole messages: the order alone is wrong", arguments: Fixture.all)
  func reordered(_ fixture: Fixture) throws {
    var random = SeededGenerator(state: 4)
    var records: [[UInt8]] = []
    for source in [fixture, Fixture(name: "stream-interleaved"), Fixture(name: "two-phase")] {
      let bytes = try sample(source)
      var cursor = RecordCursor(bytes.rawBytes)
      while let record = try cursor.next() {
        var one: [UInt8] = []
        RecordHeader.append(record.payload, walStart: record.walStart, to: &one)
        records.append(one)
      }
    }
    for _ in 0..<rounds(Array(records.joined())) {
      var chosen = records
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: chosen.remove(at: Int.random(in: 0..<chosen.count, using: &random))
        case 1: chosen.append(chosen.remove(at: Int.random(in: 0..<chosen.count, using: &random)))
        default:
          let a = Int.random(in: 0..<chosen.count, using: &random)
          chosen.insert(chosen[a], at: Int.random(in: 0...chosen.count, using: &random))
        }
      }
      try survives(Array(chosen.joined()))
    }
  }

  @Test("noise: bytes that never were a recording")
  func noise() throws {
    var random = SeededGenerator(state: 5)
    for length in 0..<2_000 {
      let bytes = (0..<length % 300).map { _ in UInt8.random(in: 0...255, using: &random) }
      try survives(bytes)
      // Behind a true header, so that the message is what is looked at.
      var record: [UInt8] = []
      let tag = MessageTag.allCases.randomElement(using: &random)?.rawValue ?? 0
      RecordHeader.append(([tag] + bytes).rawBytes, walStart: .invalid, to: &record)
      try survives(record)
    }
  }
}
