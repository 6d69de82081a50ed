import PGOutput
import Testing

@testable import ChangeLog

/// Rows looked at in place are what the decoder says they are.
@Suite("Rows in place")
struct RowBytesTests {
  private func columns(_ row: RowBytes, _ tuple: RowBytes.Tuple?) -> [ColumnImage]? {
    tuple.map { tuple in (0..<tuple.columnCount).map { row.image($0, of: tuple) } }
  }

  private func columns(_ view: TupleView?) -> [ColumnImage]? {
    guard let view else { return nil }
    var images: [ColumnImage] = []
    view.forEachColumn { _, value in
      switch value {
      case .null: images.append(.null)
      case .unchanged: images.append(.unchanged)
      case .binary(let bytes): images.append(.binary([UInt8](bytes)))
      case .text(let bytes): images.append(bytes.utf8String.map { .text($0) } ?? .binary([UInt8](bytes)))
      }
    }
    return images
  }

  /// Whether both see the same in a message: a sound row with its columns, or none.
  private func agree(_ message: [UInt8]) -> Bool {
    // Behind the message stand bytes that are not its own: to read them would show.
    let padded = message + [UInt8](repeating: UInt8(ascii: "n"), count: 8)
    return padded.withUnsafeBytes { bytes in
      let place = RecordPlace(start: 0, end: message.count, tag: message.first ?? 0)
      let row = RowBytes(bytes, place)
      guard let decoded = try? RowChange(decoding: message.rawBytes) else { return row == nil }
      guard let row else { return false }
      return columns(row, row.new) == columns(decoded.new) && columns(row, row.old) == columns(decoded.old)
        && row.isOldFull == (decoded.oldKind == .full)
    }
  }

  @Test(
    "every message of a random ledger, whole, cut anywhere, and with a byte changed", arguments: [1, 2, 3])
  func agreement(seed: UInt64) throws {
    let directory = try TemporaryDirectory()
    var ledger = RandomLedger(seed: seed, frameBytes: 4_000)
    try ledger.write(60, to: directory.open())
    var random = SeededGenerator(seed: seed)
    var rows = 0
    let reader = try LogReader(directory: directory.path, after: .exampleStart)
    while let chunk = try reader.next(timeout: .zero) {
      try chunk.forEachRecord { record throws(ChangeLogError) in
        let message = [UInt8](record.payload)
        guard let tag = message.first, "IUD".utf8.contains(tag) else { return }
        rows += 1
        #expect(agree(message))
        for length in 1..<message.count where length % 3 == rows % 3 {
          #expect(agree(Array(message[..<length])))
        }
        for _ in 0..<20 {
          var changed = message
          let place = Int.random(in: 1..<message.count, using: &random)
          changed[place] =
            Bool.random(using: &random)
            ? "KONntub".utf8.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
          #expect(agree(changed), "\(changed)")
        }
      }
    }
    #expect(rows > 200)
  }
}
