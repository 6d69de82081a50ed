import Glibc

/// Immutable bytes shared by the live tail and every reader, without a copy for each.
///
/// Nothing writes to the memory once `init` has returned: hence `@unchecked Sendable`.
public final class LogBytes: @unchecked Sendable {
  private let bytes: UnsafeRawBufferPointer
  private let memory: UnsafeMutableRawPointer

  init(copying source: UnsafeRawBufferPointer) {
    memory = .allocate(byteCount: max(source.count, 1), alignment: 16)
    if let from = source.baseAddress { memcpy(memory, from, source.count) }
    bytes = UnsafeRawBufferPointer(start: memory, count: source.count)
  }

  init<E: Error>(count: Int, fill: (UnsafeMutableRawBufferPointer) throws(E) -> Void) throws(E) {
    memory = .allocate(byteCount: max(count, 1), alignment: 16)
    bytes = UnsafeRawBufferPointer(start: memory, count: count)
    try fill(UnsafeMutableRawBufferPointer(start: memory, count: count))
  }

  var count: Int { bytes.count }

  /// The bytes, for one who keeps their owner as long as he uses them.
  var unowned: UnsafeRawBufferPointer { bytes }

  /// Calls `body` with the bytes: they last no longer than their owner.
  func withUnsafeBytes<R, E: Error>(
    _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    defer { withExtendedLifetime(self) {} }
    return try body(bytes)
  }

  deinit { memory.deallocate() }
}
