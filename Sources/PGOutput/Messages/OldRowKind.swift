/// What an update or delete says of the row as it was.
public enum OldRowKind: UInt8, Sendable {
  /// Nothing: an insert, or an update that did not change the key.
  case none = 0
  /// `K`: the replica identity's columns; the others are sent as NULL and mean nothing.
  case key = 0x4B
  /// `O`: the whole row (`REPLICA IDENTITY FULL`).
  case full = 0x4F

  /// The kind that the byte before an update's first row stands for, or nil if none.
  init?(mark: UInt8) {
    switch mark {
    case RowMark.new: self = .none
    case OldRowKind.key.rawValue: self = .key
    case OldRowKind.full.rawValue: self = .full
    default: return nil
    }
  }
}

/// The byte before a row.
enum RowMark {
  static let new = UInt8(ascii: "N")
}

extension WireReader {
  /// Reads the byte before a row and checks it.
  @discardableResult @inline(__always)
  mutating func rowMark(_ field: String, allowed: String, _ isAllowed: (UInt8) -> Bool)
    throws(DecodeError) -> UInt8
  {
    let mark = try uint8(field)
    guard isAllowed(mark) else { throw unexpected(field, byte: mark, allowed: allowed) }
    return mark
  }
}
