import CZlib

/// Compresses a stream of bytes, piece by piece: each can be read as soon as it comes. For one thread at a time: hence
/// `@unchecked Sendable`; the stream's address never changes.
final class Gzip: @unchecked Sendable {
  private let stream: UnsafeMutablePointer<z_stream>

  /// Nil when there is no memory for it.
  init?() {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // 15 bits of window, and 16 for gzip's header (zlib.h, deflateInit2). Level 1: the wire is not the bottleneck.
    let code = deflateInit2_(
      stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard code == Z_OK else {
      stream.deallocate()
      return nil
    }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// The compressed form of some bytes, whole; with `isLast` and the trailer.
  func compress(_ bytes: [UInt8], isLast: Bool) -> [UInt8] {
    var bytes = bytes
    var output: [UInt8] = []
    bytes.withUnsafeMutableBufferPointer { input in
      stream.pointee.next_in = input.baseAddress
      stream.pointee.avail_in = UInt32(truncatingIfNeeded: input.count)
      withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32 << 10) { buffer in
        var isFull = true
        while isFull {
          stream.pointee.next_out = buffer.baseAddress
          stream.pointee.avail_out = UInt32(buffer.count)
          deflate(stream, isLast ? Z_FINISH : Z_SYNC_FLUSH)
          output.append(contentsOf: buffer[..<(buffer.count - Int(stream.pointee.avail_out))])
          isFull = stream.pointee.avail_out == 0
        }
      }
      stream.pointee.next_in = nil
    }
    return output
  }
}
