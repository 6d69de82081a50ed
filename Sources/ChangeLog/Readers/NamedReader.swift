import Glibc
import PGOutput

/// A reader that a log knows by name, so that retention keeps what it has not read yet.
public struct NamedReader: Hashable, Sendable {
  /// Its name: 1 to 63 of `a-z`, `0-9`, `_` and `-`.
  public let name: String
  /// What it has handled last.
  public var position: Position
  /// What it is: `dual-write`, `subscriber`, `replay`.
  public var kind: String
  /// Whose positions it has.
  public let origin: Origin
  /// When it last said so, in seconds since 1970.
  public var updatedAt: Int64
  /// The process that last said so.
  public var pid: Int32

  /// The parts of an origin identity that stay the same as long as a log does.
  public struct Origin: Hashable, Sendable {
    /// The source's system identifier.
    public let systemIdentifier: UInt64
    /// Its database's oid.
    public let databaseOID: UInt32
    /// The slot.
    public let slot: String

    init(_ origin: OriginIdentity) {
      (systemIdentifier, databaseOID, slot) = (origin.systemIdentifier, origin.databaseOID, origin.slot)
    }

    fileprivate init(systemIdentifier: UInt64, databaseOID: UInt32, slot: String) {
      (self.systemIdentifier, self.databaseOID, self.slot) = (systemIdentifier, databaseOID, slot)
    }
  }

  /// The name under which `crossfade run` keeps the position of its dual-write.
  public static let dualWrite = "dual-write"

  static func isName(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: "-")
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
      }
  }
}

// A reader's file: a title with its version, then a field a line.
extension NamedReader {
  private static let title = "crossfade reader "
  private static let version: UInt32 = 1

  var text: String {
    """
    \(Self.title)\(Self.version)
    position \(position)
    kind \(kind)
    system \(origin.systemIdentifier)
    database \(origin.databaseOID)
    slot \(origin.slot)
    updated \(updatedAt)
    pid \(pid)

    """
  }

  /// Reads a reader's file.
  init(name: String, file: LogFile) throws(ChangeLogError) {
    let bytes = try file.contents(atMost: 64 << 10)
    var lines = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    guard let first = lines.first, first.hasPrefix(Self.title),
      let found = UInt32(first.dropFirst(Self.title.count))
    else { throw .damaged(file: file.path, offset: 0, reason: "it is no reader's file") }
    guard found == Self.version else { throw .unknownVersion(file: file.path, version: found) }
    lines.removeFirst()
    var fields: [Substring: Substring] = [:]
    for line in lines {
      let parts = line.split(separator: " ", maxSplits: 1)
      if parts.count == 2 { fields[parts[0]] = parts[1] }
    }
    // The last line has an end: a file that was cut short may have cut a number short.
    guard bytes.last == UInt8(ascii: "\n"), let position = fields["position"].flatMap({ Position($0) }),
      let kind = fields["kind"], let system = fields["system"].flatMap({ UInt64($0) }),
      let database = fields["database"].flatMap({ UInt32($0) }), let slot = fields["slot"],
      let updated = fields["updated"].flatMap({ Int64($0) }), let pid = fields["pid"].flatMap({ Int32($0) })
    else {
      throw .damaged(file: file.path, offset: 0, reason: "a field is missing, or not what it should be")
    }
    self.init(
      name: name, position: position, kind: String(kind),
      origin: Origin(systemIdentifier: system, databaseOID: database, slot: String(slot)), updatedAt: updated,
      pid: pid)
  }
}

extension Position {
  /// Reads what `description` gives: `16/B374D848`, `16/B374D848.3`.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard let end = parts.first.flatMap({ LSN(String($0)) }), parts.count <= 2 else { return nil }
    guard parts.count == 2 else {
      self.init(endLSN: end)
      return
    }
    guard let ordinal = UInt64(parts[1]) else { return nil }
    self.init(endLSN: end, ordinal: ordinal)
  }
}
