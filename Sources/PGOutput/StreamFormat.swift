/// What has to be known about a stream to read a message of it: the same bytes mean different things inside a
/// streamed block and outside one.
public struct StreamFormat: Hashable, Sendable {
  /// How a stream abort (`A`) is laid out.
  public enum AbortLayout: Hashable, Sendable {
    /// Transaction and subtransaction: `streaming = on`.
    case short
    /// Also LSN and time: `streaming = parallel` (protocol 4).
    case long
    /// The message's length tells: 9 bytes or 25.
    case byLength
  }

  /// No message younger than this is accepted, except `A`: PostgreSQL 18 can send one unasked.
  public var protocolVersion: ProtocolVersion
  /// How `A` is laid out.
  public var abortLayout: AbortLayout
  /// Whether the message stands between `S` and `E`, where changes carry their transaction id.
  public var isInsideStream: Bool

  /// A format from its parts.
  public init(
    protocolVersion: ProtocolVersion, abortLayout: AbortLayout = .byLength, isInsideStream: Bool = false
  ) {
    self.protocolVersion = protocolVersion
    self.abortLayout = abortLayout
    self.isInsideStream = isInsideStream
  }

  /// Protocol 1: what the change log's records are written in.
  public static let v1 = StreamFormat(protocolVersion: .v1)

  /// Whatever the bytes say: every message of every version, `A` by its length.
  public static let any = StreamFormat(protocolVersion: .v4)

  /// The same stream, inside or outside a streamed block.
  public func insideStream(_ isInside: Bool) -> StreamFormat {
    var format = self
    format.isInsideStream = isInside
    return format
  }
}
