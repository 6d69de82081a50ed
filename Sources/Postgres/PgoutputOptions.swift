/// The options `START_REPLICATION` gives pgoutput, negotiated by server version: an option the server does not know
/// is an error there (`pgoutput.c parse_output_parameters`).
public struct PgoutputOptions: Sendable, Equatable {
  /// The protocol version asked for.
  public var protocolVersion: Int
  /// The publications read.
  public var publications: [String]
  /// Whether logical messages are sent (14 and later).
  public var messages: Bool
  /// Whether changes that carry a replication origin are kept from us (16 and later: `origin 'none'`).
  public var withoutOrigins: Bool

  /// The options for a server: protocol 1, which every supported server speaks and which sends a transaction when it
  /// has committed; logical messages where there are any.
  ///
  /// - Parameter withoutOrigins: leave changes with a replication origin at the server, where it can.
  public static func negotiate(
    server: ServerVersion, publications: [String], withoutOrigins: Bool
  ) -> PgoutputOptions {
    PgoutputOptions(
      protocolVersion: 1, publications: publications, messages: server.major >= 14,
      withoutOrigins: withoutOrigins && server.major >= 16)
  }

  /// The options as `START_REPLICATION ... (...)` wants them. Its grammar (`repl_scanner.l`) has no E'' strings: a
  /// backslash is a character like any other.
  public var sql: String {
    let names = publications.map(SQLText.identifier).joined(separator: ",")
    let list = names.replacing("'", with: "''")
    var options = ["proto_version '\(protocolVersion)'", "publication_names '\(list)'"]
    if messages { options.append("messages 'true'") }
    if withoutOrigins { options.append("origin 'none'") }
    return options.joined(separator: ", ")
  }
}
