import Derivation
import Testing

@Suite("A connection string")
struct ConnectionStringTests {
  @Test(
    "shows everything but its secrets",
    arguments: [
      (
        "postgresql://ledger:hunter2@db:5432/ledger?sslmode=require",
        "postgresql://ledger:***@db:5432/ledger?sslmode=require"
      ),
      ("postgres://ledger@db/ledger", "postgres://ledger@db/ledger"),
      (
        "postgresql://ledger:p%40ss%2Fword@[::1]:5432,b:5433/ledger",
        "postgresql://ledger:***@[::1]:5432,b:5433/ledger"
      ),
      (
        "postgresql:///ledger?host=/run&password=hunter2&user=me",
        "postgresql:///ledger?host=/run&password=***&user=me"
      ),
      ("postgresql:///ledger?p%61ssword=hunter2", "postgresql:///ledger?password=***"),
      (
        "postgresql://u:hunter2@h/d?sslpassword=x&options=-c%20a.b%3Dc",
        "postgresql://u:***@h/d?sslpassword=***&options=***"
      ),
      ("host=db password=hunter2 user=me", "host=db password=*** user=me"),
      (#"host = db password = 'hun ter\'2' user=me"#, "host=db password=*** user=me"),
      (#"password=hun\ ter2 host=db"#, "password=*** host=db"),
      ("host='/run/my ledger' dbname=ledger", "host='/run/my ledger' dbname=ledger"),
      ("service=ledger", "service=ledger"),
    ])
  func shown(_ raw: String, _ redacted: String) {
    #expect(ConnectionString(raw).description == redacted)
  }

  @Test(
    "hides what libpq could not read either, or what it does not know",
    arguments: [
      ("postgresql://ledger:pa@ss@db/x", "postgresql://***"),
      ("postgresql://u@h?options=@hunter2", "postgresql://***"),
      ("postgresql://password=hunter2/x", "postgresql://***"),
      ("postgresql://ledger:hun/ter2@db/x", "postgresql://***"),
      ("postgresql://ledger:hunter2", "postgresql://***"),
      ("postgresql://ledger:\u{301}hunter2@db/x", "postgresql://ledger:***@db/x"),
      ("postgresql:///x?pasword=hunter2", "postgresql:///x?***"),
      ("postgresql:///x?pass%zzword=hunter2", "postgresql:///x?***"),
      ("host=db pasword=hunter2", "host=db ***"),
      ("host=db password=hunter 2", "***"),
      ("host=db password='hunter2", "***"),
      ("hunter2", "***"),
      ("dbname=postgresql://u:hunter2@h/d", "***"),
      ("dbname='password=hunter2'", "***"),
    ])
  func hidden(_ raw: String, _ redacted: String) {
    #expect(ConnectionString(raw).description == redacted)
  }

  @Test("gives its secret only to who asks for it by name")
  func reveal() throws {
    let string = ConnectionString("postgresql://ledger:hunter2@db/ledger")
    let yaml = definition(replacing: "host=/run/ledger dbname=ledger", with: string.revealed)
    let read = try SlotDefinition.parse(yaml: yaml, file: "slot.yaml", environment: [:])
    var dumped = ""
    dump(read, to: &dumped)
    for printed in ["\(string)", String(reflecting: string), "\(read)", String(reflecting: read), dumped] {
      #expect(!printed.contains("hunter2"), "\(printed)")
      #expect(printed.contains("***"), "\(printed)")
    }
    #expect(read.source.revealed == "postgresql://ledger:hunter2@db/ledger")
  }
}
