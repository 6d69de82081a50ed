/// The options `START_REPLICATION` gives pgoutput, negotiated by server version: an option the server does not know
/// is an error there (`pgoutput.c parse_output_parameters`).
public struct PgoutputOptions: Sendable, Equatable {
  /// Whether large transactions are sent while they run.
  public enum Streaming: String, Sendable, CaseIterable {
    /// A transaction is sent when it has committed.
    case off
    /// It is sent in blocks as it grows past `logical_decoding_work_mem` (14 and later).
    case on
    /// So too, and an abort says where and when it happened (16 and later).
    case parallel
  }

  /// The protocol version asked for.
  public var protocolVersion: Int
  /// The publications read.
  public var publications: [String]
  /// Whether large transactions are sent while they run.
  public var streaming: Streaming
  /// Whether prepared transactions are sent when they are prepared (15 and later).
  public var twoPhase: Bool
  /// Whether values come in their types' binary form (14 and later).
  public var binary: Bool
  /// Whether logical messages are sent (14 and later).
  public var messages: Bool
  /// Whether changes that carry a replication origin are kept from us (16 and later: `origin 'none'`).
  public var withoutOrigins: Bool

  /// The options for a server, as `StreamNegotiation` finds them.
  ///
  /// - Parameter slotIsTwoPhase: whether the slot decodes prepared transactions already. It then does so whatever is
  ///   asked (`logical.c CreateDecodingContext`), in messages that only protocol 3 has.
  public static func negotiate(
    server: ServerVersion, publications: [String], wishes: StreamWishes, slotIsTwoPhase: Bool
  ) -> PgoutputOptions {
    StreamNegotiation(server: server, wishes: wishes, slotIsTwoPhase: slotIsTwoPhase)
      .options(publications: publications)
  }

  /// The options as `START_REPLICATION ... (...)` wants them. Its grammar (`repl_scanner.l`) has no E'' strings: a
  /// backslash is a character like any other. What is off is left out: off is each option's default.
  public var sql: String {
    let names = publications.map(SQLText.identifier).joined(separator: ",")
    let list = names.replacing("'", with: "''")
    var options = ["proto_version '\(protocolVersion)'", "publication_names '\(list)'"]
    if streaming != .off { options.append("streaming '\(streaming.rawValue)'") }
    if twoPhase { options.append("two_phase 'true'") }
    if binary { options.append("binary 'true'") }
    if messages { options.append("messages 'true'") }
    if withoutOrigins { options.append("origin 'none'") }
    return options.joined(separator: ", ")
  }
}
