import PGOutput

/// What our own transactions are known by: their replication origin, or a logical message as their first record; and what of
/// them goes to the log all the same: their corrections.
struct OwnMark {
  private let origin: [UInt8]
  private let prefix: [UInt8]
  private let content: [UInt8]
  private let correction: [UInt8]?

  /// - Parameter correction: the prefix of the messages that are corrections; nil where none is kept.
  init(origin: String, prefix: String, content: String, correction: String?) {
    self.origin = Array(origin.utf8)
    self.prefix = Array(prefix.utf8)
    self.content = Array(content.utf8)
    self.correction = correction.map { Array($0.utf8) }
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

  /// Whether a message of a transaction of ours is to be kept. The caller has seen its fixed part.
  func isCorrection(_ payload: UnsafeRawBufferPointer, idSize: Int) -> Bool {
    guard let correction, payload[1 + idSize] & 1 == 1 else { return false }
    let start = 10 + idSize
    guard payload.count - start > correction.count else { return false }
    return payload[start..<(start + correction.count)].elementsEqual(correction)
      && payload[start + correction.count] == 0
  }

  /// What stands in the log before our corrections, and says whose they are. The server did not send it, but no foreign
  /// transaction can have it: one with this origin is ours.
  var originRecord: [UInt8] {
    var writer = WireWriter()
    Origin(lsn: .invalid, name: String(decoding: origin, as: UTF8.self)).encode(to: &writer)
    return writer.bytes
  }
}
