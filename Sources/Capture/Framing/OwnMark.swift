/// What our own transactions are known by: their replication origin, or a logical message as their first record.
struct OwnMark {
  private let origin: [UInt8]
  private let prefix: [UInt8]
  private let content: [UInt8]

  init(origin: String, prefix: String, content: String) {
    self.origin = Array(origin.utf8)
    self.prefix = Array(prefix.utf8)
    self.content = Array(content.utf8)
  }

  /// `O`: origin commit LSN, name. The caller has seen that it ends in NUL and is ten bytes or longer.
  ///
  /// Ours is `crossfade_SLOT`, or that, a dot and more: the backfill's and the quarantine's on 13. No slot's name has a dot.
  func isOrigin(_ payload: UnsafeRawBufferPointer) -> Bool {
    let name = payload[9..<(payload.count - 1)]
    let rest = name.dropFirst(origin.count)
    return name.starts(with: origin) && (rest.isEmpty || rest.first == UInt8(ascii: "."))
  }

  /// `M`: [transaction id,] flags, LSN, prefix, length, content. The caller has seen its fixed part.
  func isMessage(_ payload: UnsafeRawBufferPointer, idSize: Int) -> Bool {
    let start = 10 + idSize
    guard payload.count == start + prefix.count + 1 + 4 + content.count else { return false }
    return payload[start..<(start + prefix.count)].elementsEqual(prefix)
      && payload[start + prefix.count] == 0
      && payload[(payload.count - content.count)...].elementsEqual(content)
  }
}
