/// Makes a data directory: initdb, and a configuration file of ours that PostgreSQL's includes.
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
    let run: CapturedRun
    do {
      run = try ChildProcess.run(
        directory.commandLine(command), environment: ["LC_ALL": "C", "PGDATA": nil], within: .seconds(120))
    } catch {
      throw .process(error)
    }
    guard run.status.isSuccess else { throw .initdbFailed(status: run.status, output: run.trimmed) }
    try directory.write(
      "\ninclude 'cluster.conf'\n", to: "\(directory.data)/postgresql.conf", append: true)
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
