import Glibc

/// Growable memory for encoding: appends in big-endian order, as PostgreSQL's wire and our frames have it.
///
/// It belongs to one owner at a time and is never shared.
package final class ByteBuffer {
  package private(set) var base: UnsafeMutableRawPointer
  package private(set) var capacity: Int
  package var count = 0

  package init(capacity: Int) {
    self.capacity = max(capacity, 64)
    base = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { base.deallocate() }

  package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

  package func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[range])
  }

  package func reserve(_ total: Int) {
    guard total > capacity else { return }
    let larger = max(total, capacity + capacity / 2)
    let memory = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    memcpy(memory, base, count)
    base.deallocate()
    base = memory
    capacity = larger
  }

  /// Gives memory back after an unusually large use.
  package func removeAll(keepingAtMost limit: Int) {
    count = 0
    guard capacity > limit else { return }
    base.deallocate()
    base = .allocate(byteCount: limit, alignment: 16)
    capacity = limit
  }

  package func append<T: FixedWidthInteger>(_ value: T) {
    reserve(count + MemoryLayout<T>.size)
    (base + count).storeBytes(of: value.bigEndian, as: T.self)
    count += MemoryLayout<T>.size
  }

  package func appendLittleEndian(_ value: UInt32) {
    append(value.byteSwapped)
  }

  package func append(_ source: UnsafeRawBufferPointer) {
    guard let from = source.baseAddress, source.count > 0 else { return }
    reserve(count + source.count)
    memcpy(base + count, from, source.count)
    count += source.count
  }

  package func append(_ source: some Sequence<UInt8>) {
    for byte in source { append(byte) }
  }
}
