import CLibPQ
import Glibc

/// One session with a server, used by one thread at a time.
///
/// All waiting is in poll(2), on the session's socket and on the `Interrupt` given at the start. Everything that
/// libpq knows of connection strings holds: URIs, `PG*` variables, password and service files, TLS, several hosts.
public final class Connection {
  let handle: OpaquePointer
  let interrupt: Interrupt?
  let notices = ServerNotices()

  /// What a session is opened with beside the connection string.
  public struct Options: Sendable {
    /// Shown in `pg_stat_activity`.
    public var applicationName: String
    /// Whether this is a session for the replication protocol (`replication=database`).
    public var replication = false
    /// Settings for the session's start, such as `lock_timeout`; sent as startup `options`.
    public var settings: [(name: String, value: String)] = []
    /// How long to try when the connection string has no `connect_timeout`, in milliseconds.
    public var connectTimeoutMilliseconds = 15_000

    /// Options with a name for `pg_stat_activity`.
    public init(
      applicationName: String, replication: Bool = false, settings: [(name: String, value: String)] = []
    ) {
      self.applicationName = applicationName
      self.replication = replication
      self.settings = settings
    }
  }

  /// Opens a session.
  ///
  /// - Parameter string: a libpq connection string or URI.
  /// - Parameter interrupt: ends every wait of the session when stopped.
  public init(_ string: String, options: Options, interrupt: Interrupt? = nil) throws(PostgresError) {
    let given = try ConnectionString.parse(string)
    var parameters: [(String, String)] = [("dbname", string)]
    parameters.append(("fallback_application_name", options.applicationName))
    parameters.append(("client_encoding", "UTF8"))
    if options.replication { parameters.append(("replication", "database")) }
    let settings = (options.replication ? Self.walsenderSettings : []) + options.settings
    if !settings.isEmpty {
      let added = settings.map { "-c \($0.name)=\(ConnectionString.escapeOption($0.value))" }
      parameters.append(("options", ([given.options] + added).filter { !$0.isEmpty }.joined(separator: " ")))
    }
    let started = Self.withKeywords(parameters) { PQconnectStartParams($0, $1, 1) }
    guard let handle = started else { throw .connectionFailed(message: "out of memory") }
    self.handle = handle
    self.interrupt = interrupt
    let limit = given.connectTimeoutMilliseconds ?? options.connectTimeoutMilliseconds
    try establish(deadline: .after(milliseconds: limit), limit: limit)
    PQsetnonblocking(handle, 1)
    // They would go to stderr between our own lines.
    notices.listen(to: handle)
    // A database without an encoding holds whatever was written; asked for UTF-8, the server refuses to send what is none,
    // and a stream would stand still at it for good.
    if reportedSetting("server_encoding") == "SQL_ASCII" {
      try script("SET client_encoding = SQL_ASCII", purpose: "take bytes as they are")
    }
  }

  /// A walsender writes values in the form its session's settings say, which a database or role may have of their own:
  /// what is logged must not depend on them (`libpqwalreceiver.c libpqrcv_connect`, and what else shapes a value's text).
  private static let walsenderSettings: [(name: String, value: String)] = [
    ("datestyle", "ISO"), ("intervalstyle", "postgres"), ("extra_float_digits", "3"), ("timezone", "UTC"),
    ("bytea_output", "hex"),
    // A walsender may wait for a lock of the transaction that it streams; a limit meant for applications would end it.
    ("lock_timeout", "0"), ("statement_timeout", "0"),
  ]

  deinit {
    PQfinish(handle)
  }

  /// The server's version.
  public var serverVersion: ServerVersion { ServerVersion(number: Int(PQserverVersion(handle))) }

  /// The server process that serves us.
  public var backendPID: Int32 { PQbackendPID(handle) }

  /// The session's database.
  public var database: String { PQdb(handle).map { String(cString: $0) } ?? "" }

  /// Whether libpq still holds the session for good.
  public var isOpen: Bool { PQstatus(handle) == CONNECTION_OK }

  /// A setting the server reports by itself, such as `server_encoding`.
  public func reportedSetting(_ name: String) -> String? {
    PQparameterStatus(handle, name).map { String(cString: $0) }
  }

  var message: String {
    PQerrorMessage(handle).map { String(cString: $0).trimmedLines } ?? "unknown error"
  }

  private func establish(deadline: Deadline, limit: Int) throws(PostgresError) {
    guard PQstatus(handle) != CONNECTION_BAD else { throw .connectionFailed(message: message) }
    var state = PGRES_POLLING_WRITING
    while true {
      switch state {
      case PGRES_POLLING_OK: return
      case PGRES_POLLING_READING, PGRES_POLLING_WRITING:
        let forReading = state == PGRES_POLLING_READING
        switch wait(read: forReading, write: !forReading, deadline: deadline) {
        case .ready: break
        case .interrupted: throw .interrupted(purpose: "connect")
        case .timedOut:
          throw .connectionFailed(message: "no answer within \(limit) ms (connect_timeout sets this)")
        }
        state = PQconnectPoll(handle)
      default:
        throw .connectionFailed(message: message)
      }
    }
  }

  private static func withKeywords<Result>(
    _ parameters: [(String, String)],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<UnsafePointer<CChar>?>) -> Result
  ) -> Result {
    let keys = parameters.map { UnsafePointer(strdup($0.0)) } + [nil]
    let values = parameters.map { UnsafePointer(strdup($0.1)) } + [nil]
    defer {
      for pointer in keys + values { free(UnsafeMutablePointer(mutating: pointer)) }
    }
    return keys.withUnsafeBufferPointer { keys in
      values.withUnsafeBufferPointer { values in
        guard let keys = keys.baseAddress, let values = values.baseAddress else {
          // Both end with nil, so neither is ever empty.
          var none: UnsafePointer<CChar>?
          return body(&none, &none)
        }
        return body(keys, values)
      }
    }
  }
}
