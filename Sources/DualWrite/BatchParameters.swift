import PGOutput
import Postgres

/// A batch as parameters of statements.
struct BatchParameters {
  /// One array for each key column: the rows to derive.
  var derived: [Parameter]
  /// How many there are.
  var derivedCount: Int
  /// The keys whose quarantine is settled, as JSON arrays of their columns' text.
  var settled: Parameter
  var settledCount: Int
  /// What goes into quarantine: keys, statuses, positions, reasons.
  var quarantined: [Parameter]
  var quarantinedCount: Int
  /// What goes there where its row does not agree: keys, positions, reasons, and one array for each key column.
  var unsent: [Parameter]
  var unsentCount: Int

  /// - Parameter withSettled: whether there is anything in quarantine at all; else that array stays empty.
  init(_ batch: Batch, keyColumns: Int, withSettled: Bool) {
    let table = batch.keys
    var arrays = (0..<keyColumns).map { _ in ArrayLiteral(capacity: table.bytes.count + table.count * 4) }
    var settled = ArrayLiteral(capacity: withSettled ? table.bytes.count * 2 : 16)
    var keys = ArrayLiteral(capacity: 64)
    var statuses = ArrayLiteral(capacity: 64)
    var positions = ArrayLiteral(capacity: 64)
    var reasons = ArrayLiteral(capacity: 64)
    var unsent = (0..<(3 + keyColumns)).map { _ in ArrayLiteral(capacity: 64) }
    unsentCount = 0
    derivedCount = 0
    settledCount = 0
    quarantinedCount = 0
    for entry in table.entries {
      if entry.derives {
        table.columns(of: entry) { column, bytes in
          if column < keyColumns { arrays[column].append(bytes) }
        }
        derivedCount += 1
      }
      if entry.unknown >= 0, Int(entry.unknown) < batch.unknown.count {
        let unknown = batch.unknown[Int(entry.unknown)]
        guard unknown.refusal != .unsent else {
          unsent[0].append(Self.json(table, entry))
          unsent[1].append(Array("\(unknown.position)".utf8))
          unsent[2].append(Array(unknown.reason.utf8))
          table.columns(of: entry) { if $0 < keyColumns { unsent[3 + $0].append($1) } }
          unsentCount += 1
          continue
        }
        keys.append(Self.json(table, entry))
        if let status = unknown.status { statuses.append(status) } else { statuses.appendNull() }
        positions.append(Array("\(unknown.position)".utf8))
        reasons.append(Array(unknown.reason.utf8))
        quarantinedCount += 1
      } else if withSettled, entry.tellsStatus {
        settled.append(Self.json(table, entry))
        settledCount += 1
      }
    }
    derived = arrays.map { .terminatedText($0.finish()) }
    self.settled = .terminatedText(settled.finish())
    quarantined = [keys, statuses, positions, reasons].map { .terminatedText($0.finish()) }
    self.unsent = unsent.map { .terminatedText($0.finish()) }
  }

  /// `["123"]`: the key's columns as a JSON array of strings.
  static func json(_ table: KeyTable, _ entry: KeyTable.Entry) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "[")]
    table.columns(of: entry) { append($1, at: $0, to: &text) }
    return text + [UInt8(ascii: "]")]
  }

  /// As above, of a key as it is kept.
  static func json(_ key: KeyBytes) -> [UInt8] {
    var text: [UInt8] = [UInt8(ascii: "[")]
    key.withUnsafeBytes { KeyTable.columns(of: $0) { append($1, at: $0, to: &text) } }
    return text + [UInt8(ascii: "]")]
  }

  private static func append(_ bytes: Slice<UnsafeRawBufferPointer>, at column: Int, to text: inout [UInt8]) {
    if column > 0 { text.append(contentsOf: ", ".utf8) }
    text.append(UInt8(ascii: "\""))
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        text.append(UInt8(ascii: "\\"))
        text.append(byte)
      case 0..<0x20:
        text.append(contentsOf: "\\u00".utf8)
        text.append(Self.hex[Int(byte >> 4)])
        text.append(Self.hex[Int(byte & 15)])
      default: text.append(byte)
      }
    }
    text.append(UInt8(ascii: "\""))
  }

  private static let hex = Array("0123456789abcdef".utf8)
}
