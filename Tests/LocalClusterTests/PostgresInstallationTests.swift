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
}
