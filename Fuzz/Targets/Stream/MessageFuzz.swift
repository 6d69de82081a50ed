import PGOutput

/// One message: what decodes is encoded to the very same bytes, and rows can be walked in each of the three ways.
enum MessageFuzz {
  /// The first byte chooses the format, the rest is the message.
  static func check(_ bytes: [UInt8]) throws(Finding) {
    guard let choice = bytes.first else { return }
    let payload = Array(bytes.dropFirst())
    let format = format(choice)
    guard try decodes(payload, format) else { return }
    // Nothing shorter and nothing longer is the same message; an abort says by its length which one it is.
    if payload.count > 1 {
      let shorter = Array(payload.dropLast())
      try require(try !decodes(shorter, format), "a message cut by its last byte decodes")
    }
    try require(try !decodes(payload + [0], format), "a message decodes with a byte after its end")
  }

  static func format(_ choice: UInt8) -> StreamFormat {
    let versions = ProtocolVersion.allCases
    let layouts: [StreamFormat.AbortLayout] = [.byLength, .short, .long]
    return StreamFormat(
      protocolVersion: versions[Int(choice) & 3], abortLayout: layouts[Int(choice >> 2) % 3],
      isInsideStream: choice & 0x80 != 0)
  }

  private static func decodes(_ payload: [UInt8], _ format: StreamFormat) throws(Finding) -> Bool {
    let message: Message
    do throws(DecodeError) {
      message = try Message(decoding: payload.rawBytes, format: format)
    } catch {
      try require((0...payload.count).contains(error.offset), "\(error) stands outside of the message")
      try require(error.message == payload.first ?? 0, "\(error) names another message")
      try require(error.column ?? 0 >= 0 && !error.description.isEmpty, "\(error) is no place")
      try require(rowChange(payload, format) == nil, "a row decodes that is no message: \(error)")
      return false
    }
    var writer = WireWriter()
    message.encode(to: &writer)
    try require(
      writer.bytes == payload, "decoded \(payload), encoded \(writer.bytes)")
    switch message {
    case .insert(let insert): try walk(RowChange(insert), payload, format)
    case .update(let update): try walk(RowChange(update), payload, format)
    case .delete(let delete): try walk(RowChange(delete), payload, format)
    default: try require(rowChange(payload, format) == nil, "a row was read from another message")
    }
    return true
  }

  /// The kind and relation that the fast path reads; nil when it reads nothing.
  private static func rowChange(_ payload: [UInt8], _ format: StreamFormat) -> [UInt32]? {
    guard let row = try? RowChange(decoding: payload.rawBytes, format: format) else { return nil }
    return [row.relation.rawValue, row.xid?.rawValue ?? 0, UInt32(row.oldKind.rawValue)]
  }

  private static func walk(_ row: RowChange, _ payload: [UInt8], _ format: StreamFormat) throws(Finding) {
    try require(
      rowChange(payload, format) == [
        row.relation.rawValue, row.xid?.rawValue ?? 0, UInt32(row.oldKind.rawValue),
      ],
      "the fast path reads another row")
    if let old = row.old { try walk(old) }
    if let new = row.new { try walk(new) }
  }

  private static func walk(_ tuple: TupleView) throws(Finding) {
    var fromCallback: [[UInt8]] = []
    tuple.forEachColumn { index, value in fromCallback.append(image(value)) }
    try require(fromCallback.count == tuple.columnCount, "a row has another number of columns than it says")
    var cursor = tuple.columns
    var index = 0
    while let value = cursor.next() {
      try require(image(value) == fromCallback[index], "column \(index) differs from the one called with")
      index += 1
    }
    try require(index == tuple.columnCount, "the cursor ends early")
    // Stepping is quadratic: the first, the last, and one past each end.
    for index in [0, tuple.columnCount - 1] where tuple.columnCount > 0 {
      guard let value = tuple.column(at: index) else { throw Finding("column \(index) is not there") }
      try require(image(value) == fromCallback[index], "column \(index) differs when it is asked for")
    }
    let before = tuple.column(at: -1) == nil
    let after = tuple.column(at: tuple.columnCount) == nil
    try require(before && after, "a column outside of the row")
  }

  private static func image(_ value: borrowing ColumnValue) -> [UInt8] {
    switch value {
    case .null: [0]
    case .unchanged: [1]
    case .text(let bytes): [2] + Array(bytes)
    case .binary(let bytes): [3] + Array(bytes)
    }
  }
}
