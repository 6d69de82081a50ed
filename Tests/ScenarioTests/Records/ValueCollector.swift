import PGOutput
import Postgres

/// Keeps the bytes of inserted values: of tables whose first column is a number, those of the second by that number.
struct ValueCollector: RecordConsumer {
  private var assembler = TransactionAssembler()
  /// By table and number; NULL and what is unchanged are left out.
  private(set) var values: [String: [Int: [UInt8]]] = [:]
  private(set) var errors: [ServerError] = []

  mutating func take(_ payload: RawSpan, format: StreamFormat) throws {
    let message = try Message(decoding: payload, format: format.insideStream(assembler.isInsideStream))
    guard case .change(let change) = try assembler.take(message),
      case .row(let row, let table) = change.content, let tuple = row.new,
      let number = tuple.column(at: 0)?.bytes?.utf8String.flatMap({ Int($0) }),
      let value = tuple.column(at: 1)
    else { return }
    if let bytes = value.bytes {
      values[table.name, default: [:]][number] = [UInt8](bytes)
    }
  }

  mutating func serverError(_ error: ServerError) { errors.append(error) }
}
