import Testing

@testable import Postgres

@Suite("Options for pgoutput") struct PgoutputOptionsTests {
  private func options(_ version: Int, _ publications: [String] = ["p"], withoutOrigins: Bool = false)
    -> String
  {
    PgoutputOptions.negotiate(
      server: ServerVersion(number: version), publications: publications, withoutOrigins: withoutOrigins
    ).sql
  }

  @Test(
    "each server is asked only for what it knows",
    arguments: [
      (130_014, "proto_version '1', publication_names '\"p\"'"),
      (140_000, "proto_version '1', publication_names '\"p\"', messages 'true'"),
      (150_018, "proto_version '1', publication_names '\"p\"', messages 'true'"),
      (160_000, "proto_version '1', publication_names '\"p\"', messages 'true', origin 'none'"),
      (170_002, "proto_version '1', publication_names '\"p\"', messages 'true', origin 'none'"),
      (180_000, "proto_version '1', publication_names '\"p\"', messages 'true', origin 'none'"),
    ])
  func versions(number: Int, sql: String) {
    #expect(options(number, withoutOrigins: true) == sql)
  }

  @Test("origins stay with us unless asked otherwise, whatever the server can do")
  func origins() {
    #expect(options(180_000) == "proto_version '1', publication_names '\"p\"', messages 'true'")
  }

  @Test("publications are names in a list in a string: each level has its quotes")
  func names() {
    #expect(
      options(130_000, ["a", "B c", "it's", "q\"q"])
        == #"proto_version '1', publication_names '"a","B c","it''s","q""q"'"#)
    // The replication grammar (`repl_scanner.l`) has no E'' strings: a backslash is a character like any other.
    #expect(options(130_000, [#"back\slash"#]) == #"proto_version '1', publication_names '"back\slash"'"#)
  }
}
