/// A number beside each of the latest keys, in flat memory: 32 bytes a key, up to a bound.
///
/// Keys share buckets of four, two lines of a processor's cache, each kept in the order of use. When one is full the table doubles, as
/// long as it may; then the key that was not used for the longest time in that bucket is forgotten.
///
/// Invariant: a bucket's free slots, all zero, come last; a slot holds a key's words, and the number in its last two bytes.
final class StateTable {
  private typealias Slot = SIMD4<UInt64>
  private static let ways = 4
  private static let keyBits = Slot(.max, .max, .max, .max >> 16)

  private var slots: UnsafeMutablePointer<Slot>
  private var capacity: Int
  private let most: Int
  private(set) var count = 0

  /// A table of at most so many keys, rounded down to a power of two; 64 at least.
  init(most: Int) {
    self.most = max(64, 1 << (Int.bitWidth - 1 - max(1, most).leadingZeroBitCount))
    capacity = 64
    slots = Self.allocate(capacity)
  }

  deinit { slots.deallocate() }

  /// How many bytes it has.
  var bytes: Int { capacity * MemoryLayout<Slot>.stride }

  /// Puts a number, not 0, beside a key, and gives the one that stood there.
  func put(_ key: PackedKey, _ number: UInt16) -> UInt16? {
    var bucket = bucket(key)
    let found = Self.place(key, in: bucket)
    if found == nil {
      while bucket[Self.ways - 1] != Slot(), capacity < most {
        grow()
        bucket = self.bucket(key)
      }
      if bucket[Self.ways - 1] == Slot() { count += 1 }
    }
    let old = found.map { Self.number(bucket[$0]) }
    var place = found ?? Self.ways - 1
    while place > 0 {
      bucket[place] = bucket[place - 1]
      place -= 1
    }
    var slot = key.words
    slot[3] |= UInt64(number) << 48
    bucket[0] = slot
    return old
  }

  /// Forgets a key, and gives the number that stood beside it.
  func remove(_ key: PackedKey) -> UInt16? {
    let bucket = bucket(key)
    guard let found = Self.place(key, in: bucket) else { return nil }
    let old = Self.number(bucket[found])
    for place in found..<Self.ways - 1 { bucket[place] = bucket[place + 1] }
    bucket[Self.ways - 1] = Slot()
    count -= 1
    return old
  }

  /// Forgets all of them; the memory stays.
  func removeAll() {
    guard count > 0 else { return }
    slots.update(repeating: Slot(), count: capacity)
    count = 0
  }

  private func bucket(_ key: PackedKey) -> UnsafeMutablePointer<Slot> {
    // The hash's first bits: doubled, a bucket's keys go to two of the new ones.
    let shift = UInt64((capacity / Self.ways).leadingZeroBitCount + 1)
    return slots + Int(truncatingIfNeeded: key.hash >> shift) * Self.ways
  }

  private static func place(_ key: PackedKey, in bucket: UnsafeMutablePointer<Slot>) -> Int? {
    for place in 0..<ways where bucket[place] & keyBits == key.words { return place }
    return nil
  }

  private static func number(_ slot: Slot) -> UInt16 { UInt16(truncatingIfNeeded: slot[3] >> 48) }

  private static func allocate(_ count: Int) -> UnsafeMutablePointer<Slot> {
    let stride = MemoryLayout<Slot>.stride
    let memory = UnsafeMutableRawPointer.allocate(byteCount: count * stride, alignment: ways * stride)
    return memory.initializeMemory(as: Slot.self, repeating: Slot(), count: count)
  }

  private func grow() {
    let (old, before) = (slots, capacity)
    capacity = before * 2
    slots = Self.allocate(capacity)
    for index in 0..<before where old[index] != Slot() {
      let bucket = bucket(PackedKey(words: old[index] & Self.keyBits))
      guard let free = (0..<Self.ways).first(where: { bucket[$0] == Slot() }) else { continue }
      bucket[free] = old[index]
    }
    old.deallocate()
  }
}
