/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes a step.
package struct CRC32C {
  private var state: UInt32 = ~0

  /// Nothing added yet.
  package init() {}

  /// The checksum of what was added so far.
  package var value: UInt32 { ~state }

  /// The checksum of `bytes` alone.
  package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var crc = CRC32C()
    crc.update(bytes)
    return crc.value
  }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    guard var at = bytes.baseAddress else { return }
    let table = Self.tables.pointer
    var crc = state
    var left = bytes.count
    while left >= 8 {
      let word = UInt64(littleEndian: at.loadUnaligned(as: UInt64.self)) ^ UInt64(crc)
      let low = UInt32(truncatingIfNeeded: word)
      let high = UInt32(truncatingIfNeeded: word &>> 32)
      let a = table[Int(1792 &+ (low & 0xFF))] ^ table[Int(1536 &+ ((low &>> 8) & 0xFF))]
      let b = table[Int(1280 &+ ((low &>> 16) & 0xFF))] ^ table[Int(1024 &+ (low &>> 24))]
      let c = table[Int(768 &+ (high & 0xFF))] ^ table[Int(512 &+ ((high &>> 8) & 0xFF))]
      let d = table[Int(256 &+ ((high &>> 16) & 0xFF))] ^ table[Int(high &>> 24)]
      crc = (a ^ b) ^ (c ^ d)
      at += 8
      left &-= 8
    }
    while left > 0 {
      crc = table[Int((crc ^ UInt32(at.load(as: UInt8.self))) & 0xFF)] ^ (crc &>> 8)
      at += 1
      left &-= 1
    }
    state = crc
  }

  /// Eight tables of 256 words, filled once and never freed or written again: hence safe to share.
  private struct Tables: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<UInt32>

    init() {
      pointer = .allocate(capacity: 2048)
      for byte in 0..<256 {
        var crc = UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 0 ? crc >> 1 : (crc >> 1) ^ 0x82F6_3B78 }
        pointer[byte] = crc
      }
      for index in 256..<2048 {
        let before = pointer[index - 256]
        pointer[index] = pointer[Int(before & 0xFF)] ^ (before >> 8)
      }
    }
  }

  private static let tables = Tables()
}
