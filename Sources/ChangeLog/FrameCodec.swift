import CLZ4

/// Compresses groups into LZ4 frames: fast level, independent blocks, content size and content checksum in the
/// frame, so that `lz4 -t` finds damage on its own. One context, reused.
package final class FrameCompressor {
  private var context: OpaquePointer?

  package init() throws(ChangeLogError) {
    let code = LZ4F_createCompressionContext(&context, UInt32(LZ4F_VERSION))
    if LZ4F_isError(code) != 0 { throw .compression(message(code)) }
  }

  deinit { LZ4F_freeCompressionContext(context) }

  /// Bytes that a frame of `size` uncompressed bytes takes at most.
  package func bound(_ size: Int) -> Int {
    var preferences = Self.preferences(size)
    return LZ4F_compressFrameBound(size, &preferences)
  }

  /// Writes one frame that holds `source`; returns its length. `target` has room for `bound(source.count)`.
  package func compress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(ChangeLogError) -> Int {
    guard let to = target.baseAddress else { throw .compression("no room for the frame") }
    var preferences = Self.preferences(source.count)
    var options = LZ4F_compressOptions_t()
    options.stableSrc = 1
    var written = try checked(LZ4F_compressBegin(context, to, target.count, &preferences))
    written += try checked(
      LZ4F_compressUpdate(
        context, to + written, target.count - written, source.baseAddress, source.count, &options))
    written += try checked(LZ4F_compressEnd(context, to + written, target.count - written, &options))
    return written
  }

  private static func preferences(_ size: Int) -> LZ4F_preferences_t {
    var preferences = LZ4F_preferences_t()
    preferences.frameInfo.blockSizeID =
      size <= 64 << 10 ? LZ4F_max64KB : size <= 256 << 10 ? LZ4F_max256KB : LZ4F_max1MB
    preferences.frameInfo.blockMode = LZ4F_blockIndependent
    preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled
    preferences.frameInfo.contentSize = UInt64(size)
    preferences.autoFlush = 1
    return preferences
  }
}

/// Decompresses LZ4 frames whose bytes have passed their CRC-32C. One context, reused.
package final class FrameDecompressor {
  private var context: OpaquePointer?

  package init() throws(ChangeLogError) {
    let code = LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))
    if LZ4F_isError(code) != 0 { throw .compression(message(code)) }
  }

  deinit { LZ4F_freeDecompressionContext(context) }

  /// Fills `target` with what the frame in `source` holds; anything but exactly that is an error.
  package func decompress(
    _ source: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(ChangeLogError) {
    LZ4F_resetDecompressionContext(context)
    var options = LZ4F_decompressOptions_t()
    options.stableDst = 1
    var consumed = 0
    var produced = 0
    while true {
      var outSize = target.count - produced
      var inSize = source.count - consumed
      let hint = try checked(
        LZ4F_decompress(
          context, target.baseAddress.map { $0 + produced }, &outSize,
          source.baseAddress.map { $0 + consumed }, &inSize, &options))
      consumed += inSize
      produced += outSize
      if hint == 0 { break }
      guard inSize > 0 || outSize > 0 else {
        throw .compression("the frame ends early or holds more than was announced")
      }
    }
    guard consumed == source.count, produced == target.count else {
      throw .compression("the frame's length is not the announced one")
    }
  }
}

private func checked(_ code: Int) throws(ChangeLogError) -> Int {
  if LZ4F_isError(code) != 0 { throw .compression(message(code)) }
  return code
}

private func message(_ code: Int) -> String {
  LZ4F_getErrorName(code).map { String(cString: $0) } ?? "error \(code)"
}
