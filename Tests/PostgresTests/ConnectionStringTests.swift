import Testing

@testable import Postgres

/// Every password here holds `hush`, in one piece or at its ends; nothing said may show any of it.
@Suite("Faulty connection strings", .timeLimit(.minutes(10))) struct ConnectionStringTests {
  private func said(_ string: String) -> String? {
    do throws(PostgresError) {
      var options = Connection.Options(applicationName: "postgres test")
      options.connectTimeoutMilliseconds = 2000
      _ = try Connection(string, options: options)
      return nil
    } catch {
      return "\(error) \(error.hint ?? "")"
    }
  }

  @Test(
    "no password is shown, wherever the string breaks",
    arguments: [
      "host=/nowhere password=hush hush2", "password=hush'hush2", "password='hush", "password='hush' hush2",
      #"password=x"hush y"hush2"#, #"password='a' hush"hush2"hush3 x"#, "hush", "=hush",
      "password = hush hush2 = x",
      "postgresql://u:hush@[bad", "postgresql://u:hush%zz@localhost/db",
      "postgresql://u:hush@localhost/db?hush=1",
      "postgresql://u:hush@localhost/db?password=hush&x", "postgresql://u:hush@localhost:port/db",
      "postgresql://u:x@hush@127.0.0.1:1/db", "postgresql://u:x@hush:hush@127.0.0.1:1/db",
      "postgresql://u:hush/x@127.0.0.1:1/db", "postgresql://u:1/hush@127.0.0.1:1/db",
      "postgresql://u:hush?x@127.0.0.1:1/db", "postgresql://u:hush#x@127.0.0.1:1/db",
      "postgres://u:x@hush@127.0.0.1:1/db?connect_timeout=2", "host=127.0.0.1 port=1 password=hush",
      "postgresql://u:hush@127.0.0.1:1/db", "host=127.0.0.1 port=1 password=hush sslmode=hash",
    ])
  func passwords(_ string: String) throws {
    let text = try #require(said(string))
    #expect(!text.contains("hush"), "\(text)")
  }

  @Test(
    "what is wrong is still said",
    arguments: [
      (
        "password='hush",
        "the connection string cannot be used: unterminated quoted string in connection info string "
      ),
      (
        "host=x hush",
        #"the connection string cannot be used: missing "..." in connection info string "#
      ),
      (
        "postgresql://u:x@hush@localhost/db",
        "the connection string cannot be used: its URI has more than one @; "
          + "write @ as %40, / as %2F and : as %3A in a user name, password or database "
      ),
      (
        "postgresql://u:hush/x@localhost/db",
        "the connection string cannot be used: its URI has a / before the @; "
          + "write @ as %40, / as %2F and : as %3A in a user name, password or database "
      ),
    ])
  func reasons(string: String, text: String) {
    #expect(said(string) == text)
  }

  @Test(
    "a URI with everything escaped is taken",
    arguments: [
      "postgresql://u:p%40ss%2Fword@127.0.0.1:1/db", "postgresql:///db?host=/run/x&user=a@b",
      "postgresql://u@127.0.0.1:1,127.0.0.2:1/db", "postgres://127.0.0.1:1", "postgresql://%2Frun%2Fx/db",
    ])
  func escaped(_ string: String) throws {
    #expect(throws: Never.self) { try ConnectionString.parse(string) }
  }

  @Test("connect_timeout is in seconds, at least two, and nothing below one is a limit")
  func timeouts() throws {
    func milliseconds(_ text: String) throws -> Int? {
      try ConnectionString.parse("host=x \(text)").connectTimeoutMilliseconds
    }
    #expect(try milliseconds("") == nil)
    #expect(try milliseconds("connect_timeout=1") == 2000)
    #expect(try milliseconds("connect_timeout=7") == 7000)
    #expect(try milliseconds("connect_timeout=0") == 86_400_000)
    #expect(try milliseconds("connect_timeout=-1") == 86_400_000)
    #expect(try milliseconds("connect_timeout=9223372036854775807") == 86_400_000)
  }
}
