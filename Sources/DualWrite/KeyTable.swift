/// The distinct keys of a batch, in flat memory: each a run of bytes, found by hash.
///
/// A key is its columns' text forms, each behind its length, so that ("a","bc") and ("ab","c") differ.
struct KeyTable {
  /// What is to be done with a key; the last change of it decides.
  struct Entry {
    var offset: Int
    var length: Int
    /// The row is to be derived; else it is gone and only its quarantine is to be cleared.
    var derives: Bool
    /// The index of an unknown status, -1 when the status is known or was not sent.
    var unknown: Int32
    /// Whether the change told the status: then an older quarantine of the key is settled by it.
    var tellsStatus: Bool

    /// The row is neither derived nor released from quarantine.
    mutating func leaveAlone() {
      derives = false
      unknown = -1
      tellsStatus = false
    }
  }

  private(set) var entries: [Entry] = []
  private(set) var bytes: [UInt8] = []
  private var slots: [Int32]
  private var mask: Int

  init(capacity: Int) {
    let size = max(64, (capacity * 2).roundedUpToPowerOfTwo)
    slots = Array(repeating: -1, count: size)
    mask = size - 1
    entries.reserveCapacity(capacity)
    bytes.reserveCapacity(capacity * 16)
  }

  var count: Int { entries.count }

  /// The index of a key, added when it is new.
  mutating func index(of key: UnsafeRawBufferPointer) -> Int {
    var slot = Self.hash(key) & mask
    while slots[slot] >= 0 {
      let index = Int(slots[slot])
      if matches(entries[index], key) { return index }
      slot = (slot + 1) & mask
    }
    let index = entries.count
    entries.append(
      Entry(offset: bytes.count, length: key.count, derives: false, unknown: -1, tellsStatus: false))
    bytes.append(contentsOf: key)
    slots[slot] = Int32(truncatingIfNeeded: index)
    if entries.count * 2 > slots.count { grow() }
    return index
  }

  /// The index of a key; nil when it is not here.
  func find(_ key: UnsafeRawBufferPointer) -> Int? {
    var slot = Self.hash(key) & mask
    while slots[slot] >= 0 {
      let index = Int(slots[slot])
      if matches(entries[index], key) { return index }
      slot = (slot + 1) & mask
    }
    return nil
  }

  /// The key of an entry as it is kept.
  func key(at index: Int) -> KeyBytes {
    let entry = entries[index]
    return Array(bytes[entry.offset..<(entry.offset + entry.length)])
  }

  mutating func update(_ index: Int, _ change: (inout Entry) -> Void) {
    change(&entries[index])
  }

  mutating func removeAll() {
    entries.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
    for slot in slots.indices { slots[slot] = -1 }
  }

  /// The columns of a key, each as text bytes.
  func columns(of entry: Entry, _ body: (Int, Slice<UnsafeRawBufferPointer>) -> Void) {
    bytes.withUnsafeBytes { raw in
      Self.columns(
        of: UnsafeRawBufferPointer(rebasing: raw[entry.offset..<(entry.offset + entry.length)]), body)
    }
  }

  /// The columns of a key as it is kept.
  static func columns(of key: UnsafeRawBufferPointer, _ body: (Int, Slice<UnsafeRawBufferPointer>) -> Void) {
    var at = 0
    var column = 0
    while at + 4 <= key.count {
      let length = Int(key.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      body(column, key[(at + 4)..<(at + 4 + length)])
      at += 4 + length
      column += 1
    }
  }

  private func matches(_ entry: Entry, _ key: UnsafeRawBufferPointer) -> Bool {
    guard entry.length == key.count else { return false }
    return bytes.withUnsafeBytes { $0[entry.offset..<(entry.offset + entry.length)].elementsEqual(key) }
  }

  private mutating func grow() {
    let size = slots.count * 2
    slots = Array(repeating: -1, count: size)
    mask = size - 1
    for (index, entry) in entries.enumerated() {
      var slot =
        bytes.withUnsafeBytes {
          Self.hash(UnsafeRawBufferPointer(rebasing: $0[entry.offset..<(entry.offset + entry.length)]))
        } & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(truncatingIfNeeded: index)
    }
  }

  /// FNV-1a over bytes, mixed: keys are short.
  private static func hash(_ key: UnsafeRawBufferPointer) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in key { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    hash ^= hash >> 32
    return Int(truncatingIfNeeded: hash & 0x7FFF_FFFF_FFFF_FFFF)
  }
}

extension Int {
  fileprivate var roundedUpToPowerOfTwo: Int {
    var size = 1
    while size < self { size *= 2 }
    return size
  }
}
