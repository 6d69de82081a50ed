public import Postgres

/// How a session reaches a throw-away cluster.
public enum ClusterRoute: Hashable, Sendable {
  /// Through the unix socket in the cluster's directory.
  case unixSocket
  /// Through TCP on 127.0.0.1; only where the cluster was configured to listen there.
  case loopback
}

extension Cluster {
  /// A libpq connection string. The one for `.loopback` holds the cluster's password.
  public func conninfo(
    database: String = "postgres", user: String? = nil, over route: ClusterRoute = .unixSocket
  ) -> String {
    var parts: [(String, String)]
    switch route {
    case .unixSocket: parts = [("host", directory.root)]
    case .loopback: parts = [("host", "127.0.0.1"), ("password", password)]
    }
    parts += [("port", String(port)), ("user", user ?? DataDirectory.superuser), ("dbname", database)]
    return parts.map { "\($0)=\(Self.quoted($1))" }.joined(separator: " ")
  }

  /// Opens a session.
  public func connect(
    database: String = "postgres", over route: ClusterRoute = .unixSocket,
    applicationName: String = "local cluster"
  ) throws(PostgresError) -> Connection {
    try Connection(
      conninfo(database: database, over: route), options: .init(applicationName: applicationName))
  }

  /// Creates an empty database.
  public func createDatabase(_ name: String) throws(PostgresError) {
    try connect().query("CREATE DATABASE \(SQLText.identifier(name))", purpose: "create database \(name)")
  }

  /// libpq documentation 34.1.1.1: a value with other than plain characters stands in single quotes, with a backslash
  /// before a quote or backslash.
  private static func quoted(_ value: String) -> String {
    let isPlain =
      !value.isEmpty
      && value.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
    if isPlain { return value }
    var text = "'"
    for character in value.unicodeScalars {
      if character == "'" || character == "\\" { text += "\\" }
      text.unicodeScalars.append(character)
    }
    return text + "'"
  }
}
