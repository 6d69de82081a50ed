/// The first byte of each message (`logicalproto.h`, `LogicalRepMsgType`).
public enum MessageTag: UInt8, CaseIterable, Sendable {
  /// `B`, protocol 1.
  case begin = 0x42
  /// `C`, protocol 1.
  case commit = 0x43
  /// `O`, protocol 1.
  case origin = 0x4F
  /// `R`, protocol 1.
  case relation = 0x52
  /// `Y`, protocol 1.
  case type = 0x59
  /// `I`, protocol 1.
  case insert = 0x49
  /// `U`, protocol 1.
  case update = 0x55
  /// `D`, protocol 1.
  case delete = 0x44
  /// `T`, protocol 1.
  case truncate = 0x54
  /// `M`, protocol 1 (PostgreSQL 14 and later).
  case message = 0x4D
  /// `S`, protocol 2.
  case streamStart = 0x53
  /// `E`, protocol 2.
  case streamStop = 0x45
  /// `c`, protocol 2.
  case streamCommit = 0x63
  /// `A`, protocol 2; PostgreSQL 18 can send it to protocol 1 as well.
  case streamAbort = 0x41
  /// `b`, protocol 3.
  case beginPrepare = 0x62
  /// `P`, protocol 3.
  case prepare = 0x50
  /// `K`, protocol 3.
  case commitPrepared = 0x4B
  /// `r`, protocol 3.
  case rollbackPrepared = 0x72
  /// `p`, protocol 3.
  case streamPrepare = 0x70

  /// The first protocol in which a server may send it.
  public var since: ProtocolVersion {
    switch self {
    case .begin, .commit, .origin, .relation, .type, .insert, .update, .delete, .truncate, .message,
      .streamAbort:
      .v1
    case .streamStart, .streamStop, .streamCommit: .v2
    case .beginPrepare, .prepare, .commitPrepared, .rollbackPrepared, .streamPrepare: .v3
    }
  }

  /// PostgreSQL's name for it (`proto.c logicalrep_message_type`, in the words of the protocol's documentation).
  public var name: String {
    switch self {
    case .begin: "Begin"
    case .commit: "Commit"
    case .origin: "Origin"
    case .relation: "Relation"
    case .type: "Type"
    case .insert: "Insert"
    case .update: "Update"
    case .delete: "Delete"
    case .truncate: "Truncate"
    case .message: "Message"
    case .streamStart: "Stream Start"
    case .streamStop: "Stream Stop"
    case .streamCommit: "Stream Commit"
    case .streamAbort: "Stream Abort"
    case .beginPrepare: "Begin Prepare"
    case .prepare: "Prepare"
    case .commitPrepared: "Commit Prepared"
    case .rollbackPrepared: "Rollback Prepared"
    case .streamPrepare: "Stream Prepare"
    }
  }

  /// `Insert ('I')`, or what stands where a message's first byte should.
  static func title(of byte: UInt8) -> String {
    MessageTag(rawValue: byte).map { "\($0.name) (\(printable(byte)))" } ?? "message \(printable(byte))"
  }

  /// `'x'` for a printable byte, `0x1F` for any other.
  static func printable(_ byte: UInt8) -> String {
    if (0x20...0x7E).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
    let digits = String(byte, radix: 16, uppercase: true)
    return "0x" + (digits.count < 2 ? "0" : "") + digits
  }
}
