import PGOutput
import Postgres

/// What a slot holds, as the server's own function shows it: the capture has no part in it.
struct SlotPeek {
  var session: Connection
  var slot: String
  var options: [StreamOption]
  var format: StreamFormat

  /// Puts together what the slot holds.
  func read(into consumer: inout some RecordConsumer) throws {
    let list = options.flatMap { [$0.name, $0.value] }.map(SQLText.literal).joined(separator: ", ")
    do {
      let rows = try session.query(
        "SELECT encode(data, 'hex') FROM pg_logical_slot_peek_binary_changes($1, NULL, NULL, \(list))",
        [.text(slot)], purpose: "peek at slot \(slot)")
      for row in 0..<rows.rowCount {
        let message = Self.bytes(rows[row, 0] ?? "")
        try consumer.take(message.rawBytes, format: format)
      }
    } catch PostgresError.server(let error) {
      consumer.serverError(error)
    }
  }

  private static func bytes(_ hex: String) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(hex.utf8.count / 2)
    var high: UInt8?
    for digit in hex.utf8 {
      let value = digit & 0x0F &+ (digit > 0x39 ? 9 : 0)
      if let first = high {
        bytes.append(first << 4 | value)
        high = nil
      } else {
        high = value
      }
    }
    return bytes
  }
}
