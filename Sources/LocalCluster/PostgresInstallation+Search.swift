extension PostgresInstallation {
  /// The installation to use: CROSSFADE_PG_BIN alone where it is set; else what `pg_config --bindir` names, then the
  /// newest of `/usr/lib/postgresql/*/bin` (Debian) and `/usr/pgsql-*/bin` (Red Hat), then where PATH has `postgres`.
  public static func find() throws(InstallationError) -> PostgresInstallation {
    if let named = ProcessEnvironment.value("CROSSFADE_PG_BIN") {
      return try PostgresInstallation(binDirectory: named)
    }
    return try firstUsable(of: candidates())
  }

  /// The installation of one major version, wherever `all()` sees it.
  public static func find(major: Int) throws(InstallationError) -> PostgresInstallation {
    let present = all()
    if let found = present.first(where: { $0.majorVersion == major }) { return found }
    if present.isEmpty { throw .notFound(searched: candidates()) }
    throw .noSuchMajor(major, present: present.map(\.majorVersion))
  }

  /// Every installation that can be found, newest major first, one a directory: where `find()` looks, and the directories
  /// that CROSSFADE_PG_MAJORS names, colons between (`scripts/majors.sh` brings them).
  public static func all() -> [PostgresInstallation] {
    let one = ProcessEnvironment.value("CROSSFADE_PG_BIN").map { [$0] } ?? []
    return all(in: one + directories(ProcessEnvironment.value("CROSSFADE_PG_MAJORS")) + candidates())
  }

  /// Those of the directories that hold a server, newest major first; of two with the same major the one named first.
  static func all(in directories: [String]) -> [PostgresInstallation] {
    var seen: Set<String> = []
    var found: [PostgresInstallation] = []
    for directory in directories where seen.insert(directory).inserted {
      if let installation = try? PostgresInstallation(binDirectory: directory) { found.append(installation) }
    }
    // Equal ones keep their order: `sort` is stable.
    return found.sorted { $0.majorVersion > $1.majorVersion }
  }

  /// The directories of a list with colons between.
  static func directories(_ list: String?) -> [String] {
    (list ?? "").split(separator: ":").map(String.init)
  }

  /// The first candidate that holds a server. One that is there but broken is an error, not passed over.
  static func firstUsable(of candidates: [String]) throws(InstallationError) -> PostgresInstallation {
    for directory in candidates {
      do {
        return try PostgresInstallation(binDirectory: directory)
      } catch .incomplete {
        continue  // `pg_config` of libpq-dev names the client's directory: no server there.
      }
    }
    throw .notFound(searched: candidates)
  }

  private static func candidates() -> [String] {
    var directories: [String] = []
    if let configured = try? ChildProcess.run(["pg_config", "--bindir"], within: .seconds(10)),
      configured.status.isSuccess
    {
      directories.append(configured.trimmed)
    }
    directories += numbered(in: "/usr/lib/postgresql", prefix: "", suffix: "/bin")
    directories += numbered(in: "/usr", prefix: "pgsql-", suffix: "/bin")
    if let onPath = ExecutableSearch.find("postgres") {
      directories.append(String(onPath.dropLast("/postgres".count)))
    }
    var seen: Set<String> = []
    return directories.filter { seen.insert($0).inserted }
  }

  /// `PARENT/PREFIX15/bin` and its like, the highest number first.
  private static func numbered(in parent: String, prefix: String, suffix: String) -> [String] {
    ExecutableSearch.entries(of: parent)
      .filter { $0.hasPrefix(prefix) }
      .compactMap { name in Int(name.dropFirst(prefix.count)).map { (name, $0) } }
      .sorted { $0.1 > $1.1 }
      .map { "\(parent)/\($0.0)\(suffix)" }
  }
}
