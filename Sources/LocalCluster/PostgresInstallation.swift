/// One set of PostgreSQL server programs on this machine.
public struct PostgresInstallation: Hashable, Sendable, CustomStringConvertible {
  /// A program of the server's distribution.
  public enum Program: String, CaseIterable, Sendable {
    /// The server.
    case postgres
    /// Creates a data directory.
    case initdb
    /// Controls a server; used for `promote` and the like, never for starting.
    case pgCtl = "pg_ctl"
    /// Copies a running server's data directory.
    case pgBasebackup = "pg_basebackup"
    /// Streams a logical slot.
    case pgRecvlogical = "pg_recvlogical"
    /// The interactive terminal.
    case psql
  }

  /// The directory of the programs.
  public let binDirectory: String
  /// What `postgres --version` says: "15.14 (Debian 15.14-0+deb12u1)".
  public let version: String
  /// The major version: 15.
  public let majorVersion: Int

  /// The path of a program; it was seen to be there for `postgres` and `initdb` only.
  public func path(of program: Program) -> String { "\(binDirectory)/\(program.rawValue)" }

  /// "PostgreSQL 15.14 in /usr/lib/postgresql/15/bin".
  public var description: String { "PostgreSQL \(version) in \(binDirectory)" }

  /// Looks at a directory that should hold the server's programs.
  public init(binDirectory: String) throws(InstallationError) {
    for program in [Program.postgres, .initdb] {
      guard ExecutableSearch.isExecutable("\(binDirectory)/\(program.rawValue)") else {
        throw .incomplete(directory: binDirectory, missing: program.rawValue)
      }
    }
    self.binDirectory = binDirectory
    let run: CapturedRun
    do {
      run = try ChildProcess.run(["\(binDirectory)/postgres", "--version"], within: .seconds(10))
    } catch {
      throw .unreadableVersion(directory: binDirectory, output: error.description)
    }
    guard run.status.isSuccess, let (version, major) = Self.parseVersion(run.trimmed) else {
      throw .unreadableVersion(directory: binDirectory, output: run.trimmed)
    }
    self.version = version
    majorVersion = major
  }

  /// Reads "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", and "18beta1" too.
  static func parseVersion(_ line: String) -> (version: String, major: Int)? {
    let prefix = "postgres (PostgreSQL) "
    guard line.hasPrefix(prefix) else { return nil }
    let version = line.dropFirst(prefix.count)
    guard let major = Int(version.prefix { ("0"..."9").contains($0) }), major > 0 else { return nil }
    return (String(version), major)
  }
}

/// Why no usable PostgreSQL server was found.
public enum InstallationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// None of these directories holds a server.
  case notFound(searched: [String])
  /// The directory lacks a program that a server needs.
  case incomplete(directory: String, missing: String)
  /// `postgres --version` answered something else than a version.
  case unreadableVersion(directory: String, output: String)
  /// There are servers, but none of this major version.
  case noSuchMajor(Int, present: [Int])

  /// One sentence, and what to do.
  public var description: String {
    switch self {
    case .notFound(let searched):
      "no PostgreSQL server programs found in \(searched.joined(separator: ", ")): "
        + "install them with `apt-get install postgresql`, or name their directory in CROSSFADE_PG_BIN"
    case .incomplete(let directory, let missing):
      "\(directory) holds no `\(missing)`: a PostgreSQL server is needed, not only its client "
        + "(`apt-get install postgresql`)"
    case .unreadableVersion(let directory, let output):
      "\(directory)/postgres --version gives no version: \(output)"
    case .noSuchMajor(let major, let present):
      "PostgreSQL \(major) is not installed (\(present.map(String.init).joined(separator: ", ")) is): "
        + "install it with `apt-get install postgresql-\(major)`, or name its directory in CROSSFADE_PG_MAJORS"
    }
  }
}
