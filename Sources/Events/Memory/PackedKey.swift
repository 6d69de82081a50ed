import Derivation

/// A row's key in 30 bytes, so that keys can be kept without an allocation each. No two keys have one form.
///
/// Column by column: one more than the text's length, and the text; of a UUID in its usual form 0xFF, and its 16 bytes. So
/// the first byte is never 0, and the last two of the 32 are free for whoever keeps it.
struct PackedKey: Hashable {
  /// What keys fit into.
  static let capacity = 30

  let words: SIMD4<UInt64>

  /// Nil for a key that does not fit: one text of up to 29 bytes does, or a UUID and a text of up to 12.
  init?(_ key: [ExactText]) {
    guard !key.isEmpty else { return nil }
    var packer = Packer()
    for column in key {
      let bytes = column.bytes
      if bytes.count == 36, let (high, low) = Self.uuid(bytes) {
        guard packer.count + 17 <= Self.capacity else { return nil }
        packer.append(0xFF)
        packer.append(number: high)
        packer.append(number: low)
      } else {
        guard packer.count + 1 + bytes.count <= Self.capacity else { return nil }
        packer.append(UInt8(truncatingIfNeeded: bytes.count + 1))
        for byte in bytes { packer.append(byte) }
      }
    }
    words = packer.finished()
  }

  /// A key that was kept.
  init(words: SIMD4<UInt64>) { self.words = words }

  /// Where it belongs: the same in every process, so that what is told does not depend on chance.
  var hash: UInt64 {
    var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
    for index in 0..<4 {
      hash = (hash ^ words[index]) &* 0xFF51_AFD7_ED55_8CCD
      hash ^= hash >> 32
    }
    return hash
  }

  /// The halves of a UUID as the server writes it: 8-4-4-4-12 digits, small letters. Nil for any other text, so that the
  /// text can be told from them.
  private static func uuid(_ text: [UInt8]) -> (UInt64, UInt64)? {
    var halves: (UInt64, UInt64) = (0, 0)
    for (index, byte) in text.enumerated() {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      default: return nil
      }
      if index < 18 {
        halves.0 = halves.0 << 4 | UInt64(digit)
      } else {
        halves.1 = halves.1 << 4 | UInt64(digit)
      }
    }
    return halves
  }
}

/// Fills words with bytes, the first one lowest.
private struct Packer {
  private(set) var count = 0
  private var word: UInt64 = 0
  private var words = SIMD4<UInt64>()

  mutating func append(_ byte: UInt8) {
    word |= UInt64(byte) << UInt64((count & 7) << 3)
    count += 1
    guard count & 7 == 0 else { return }
    words[count >> 3 - 1] = word
    word = 0
  }

  mutating func append(number: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      append(UInt8(truncatingIfNeeded: number >> shift))
    }
  }

  func finished() -> SIMD4<UInt64> {
    var words = words
    // The last bytes never fill the fourth word: it is written here, or it is another.
    words[count >> 3] = word
    return words
  }
}
