import Crypto
import Foundation

/// Which share of the reads is to use the new column: the flag that a cutover turns and applications ask for.
///
/// A value, for whoever answers without SQL: it says of each key what `crossfade.reads_new` says (`ReadsTable`).
public struct ReadsFlag: Sendable, Hashable {
  /// The slot.
  public var slot: String
  /// 0: all read the old column; 100: all read the new one.
  public var percent: Int
  /// Since when, in UTC; nil where nobody ever turned it.
  public var since: String?
  /// The role that turned it.
  public var role: String?

  /// A flag from its parts; by default as it is before any cutover.
  public init(slot: String, percent: Int = 0, since: String? = nil, role: String? = nil) {
    self.slot = slot
    self.percent = percent
    self.since = since
    self.role = role
  }

  /// Whether to read the new column for a key: always the same answer for one key while the share does not change, and
  /// never taken back by a larger share. Without a key, only when all do.
  public func readsNew(key: String? = nil) -> Bool {
    if percent >= 100 { return true }
    guard percent > 0, let key else { return false }
    return Self.place(of: key, slot: slot) < percent
  }

  /// Where a key stands among a hundred: the first 32 bits of the SHA-256 of slot, newline and key, scaled.
  static func place(of key: String, slot: String) -> Int {
    let bits = SHA256.hash(data: Data("\(slot)\n\(key)".utf8)).prefix(4).reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    return Int((bits * 100) >> 32)
  }
}
