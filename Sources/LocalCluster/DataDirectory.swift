/// Makes a data directory: initdb, and a configuration file of ours that PostgreSQL's includes; or a copy of such a one.
struct DataDirectory {
  let directory: ClusterDirectory
  let installation: PostgresInstallation
  let password: String
  let syncsFiles: Bool

  /// The superuser of every throw-away cluster, whoever made it.
  static let superuser = "postgres"

  func create() throws(ClusterError) {
    let passwordFile = "\(directory.root)/password"
    try directory.write(password + "\n", to: passwordFile)
    var command = [
      installation.path(of: .initdb), "--pgdata=\(directory.data)", "--username=\(Self.superuser)",
      "--encoding=UTF8", "--locale=C", "--auth-local=trust", "--auth-host=scram-sha-256",
      "--pwfile=\(passwordFile)",
    ]
    if !syncsFiles { command.append("--no-sync") }
    let made = try run(command)
    guard made.status.isSuccess else { throw .initdbFailed(status: made.status, output: made.trimmed) }
    try directory.write(
      "\ninclude 'cluster.conf'\n", to: "\(directory.data)/postgresql.conf", append: true)
  }

  /// Copies a running server's, which gets a physical slot of this name: a standby that starts from the copy streams
  /// through it.
  func copy(from conninfo: String, slot: String) throws(ClusterError) {
    var command = [
      installation.path(of: .pgBasebackup), "--pgdata=\(directory.data)", "--dbname=\(conninfo)",
      "--checkpoint=fast", "--wal-method=stream", "--create-slot", "--slot=\(slot)",
    ]
    if !syncsFiles { command.append("--no-sync") }
    let copied = try run(command)
    guard copied.status.isSuccess else {
      throw .copyFailed(status: copied.status, output: copied.trimmed)
    }
    try directory.write("", to: "\(directory.data)/standby.signal")
  }

  private func run(_ command: [String]) throws(ClusterError) -> CapturedRun {
    do {
      return try ChildProcess.run(
        directory.commandLine(command), environment: ["LC_ALL": "C", "PGDATA": nil], within: .seconds(120))
    } catch {
      throw .process(error)
    }
  }
}

extension ClusterDirectory {
  /// A command as the owner, in a directory that the owner may enter: PostgreSQL's programs look at their own.
  func commandLine(_ command: [String]) -> [String] {
    ["env", "--chdir=\(root)"] + owner.commandPrefix + command
  }

  /// Writes the settings file, each value quoted (PostgreSQL documentation 20.1: a quote is doubled).
  func writeSettings(_ values: [String: String]) throws(ClusterError) {
    var text = ""
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      let isName = name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == ".") }
      guard isName, !name.isEmpty else { throw .malformedSettingName(name) }
      let quoted = value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
      text += "\(name) = '\(quoted)'\n"
    }
    try write(text, to: settings)
  }
}
