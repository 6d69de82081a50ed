import Testing

@testable import LocalCluster

@Suite("PostgreSQL installations") struct PostgresInstallationTests {
  @Test(
    "a version line gives the version and its major",
    arguments: [
      ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", "15.14 (Debian 15.14-0+deb12u1)", 15),
      ("postgres (PostgreSQL) 18beta1", "18beta1", 18), ("postgres (PostgreSQL) 9.6.24", "9.6.24", 9),
    ])
  func version(line: String, version: String, major: Int) throws {
    let parsed = try #require(PostgresInstallation.parseVersion(line))
    #expect(parsed.version == version)
    #expect(parsed.major == major)
  }

  @Test(
    "what is no version line is refused",
    arguments: ["", "psql (PostgreSQL) 15.1", "postgres (PostgreSQL) x"])
  func noVersion(line: String) {
    #expect(PostgresInstallation.parseVersion(line) == nil)
  }

  @Test("the installed server is found and listed")
  func found() throws {
    let installation = try PostgresInstallation.find()
    #expect(PostgresInstallation.all().contains(installation))
    #expect(
      try PostgresInstallation.find(major: installation.majorVersion).majorVersion
        == installation.majorVersion)
  }

  @Test("nothing found says where it looked and what to install")
  func notFound() {
    #expect {
      try PostgresInstallation.firstUsable(of: ["/nowhere", "/tmp"])
    } throws: { error in
      "\(error)" == """
        no PostgreSQL server programs found in /nowhere, /tmp: install them with `apt-get install postgresql`, \
        or name their directory in CROSSFADE_PG_BIN
        """
    }
  }

  @Test("a major that is not there names those that are")
  func noSuchMajor() throws {
    let present = PostgresInstallation.all().map(\.majorVersion)
    #expect(throws: InstallationError.noSuchMajor(7, present: present)) {
      try PostgresInstallation.find(major: 7)
    }
  }

  @Test(
    "directories named for their majors are seen, newest first; of one major the first; what is no server is not"
  )
  func named() throws {
    let base = try Self.scratch()
    defer { _ = try? ChildProcess.run(["rm", "-rf", base]) }
    let list = try [("new", "97.2"), ("old", "96.1"), ("other", "97.3")].map { name, version in
      try Self.installation(version, in: "\(base)/\(name)")
    }.joined(separator: ":")
    let found = PostgresInstallation.all(
      in: PostgresInstallation.directories("\(base)/nowhere::\(list):\(base)/new"))
    #expect(found.map(\.version) == ["97.2", "97.3", "96.1"])
    #expect(found.map(\.binDirectory) == ["new", "other", "old"].map { "\(base)/\($0)" })
    #expect(PostgresInstallation.directories(nil) == [])
  }

  private static func scratch() throws -> String {
    let made = try ChildProcess.run(["mktemp", "-d"])
    return try #require(made.status.isSuccess ? made.trimmed : nil)
  }

  /// Programs that say nothing but the version.
  private static func installation(_ version: String, in directory: String) throws -> String {
    let script =
      "mkdir \"$1\"; for p in postgres initdb; do "
      + "printf '#!/bin/sh\\necho \"postgres (PostgreSQL) %s\"\\n' \"$2\" >\"$1/$p\"; chmod 755 \"$1/$p\"; done"
    try #require(try ChildProcess.run(["sh", "-c", script, "sh", directory, version]).status.isSuccess)
    return directory
  }
}
