/// A size in bytes, written with a binary unit: `64MiB`.
public struct ByteCount: Hashable, Comparable, Sendable {
  /// The number of bytes.
  public var bytes: Int

  /// A size from its number of bytes.
  public init(bytes: Int) {
    self.bytes = bytes
  }

  /// `count` mebibytes.
  public static func mebibytes(_ count: Int) -> ByteCount { ByteCount(bytes: count << 20) }

  /// The smaller number first.
  public static func < (a: ByteCount, b: ByteCount) -> Bool { a.bytes < b.bytes }

  /// The units one may write, each the size of its name in IEC 80000-13.
  static let units: [(name: String, scale: Int)] = [
    ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1),
  ]
}

extension ByteCount: LosslessStringConvertible {
  /// Reads digits and a unit: `512B`, `64KiB`, `64MiB`, `1GiB`; nil on anything else, and on what overflows.
  public init?(_ description: String) {
    guard let bytes = Quantity.value(of: description, in: Self.units) else { return nil }
    self.init(bytes: bytes)
  }

  /// The size in the largest unit that divides it.
  public var description: String { Quantity.text(of: bytes, in: Self.units) }
}
