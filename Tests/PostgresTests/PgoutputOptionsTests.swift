import Testing

@testable import Postgres

@Suite("Options for pgoutput") struct PgoutputOptionsTests {
  /// What was wished for, as one letter each: s(treaming), t(wo-phase), b(inary), o(rigin none); T: the slot is
  /// two-phase already.
  private func options(_ major: Int, _ wishes: String, _ publications: [String] = ["p"]) -> String {
    PgoutputOptions.negotiate(
      server: ServerVersion(number: major * 10_000 + 4), publications: publications,
      wishes: StreamWishes(
        streaming: wishes.contains("s"), twoPhase: wishes.contains("t"), binary: wishes.contains("b"),
        withoutOrigins: wishes.contains("o")),
      slotIsTwoPhase: wishes.contains("T")
    ).sql
  }

  @Test(
    "each server is asked for its highest protocol, and only for what it knows",
    arguments: [
      (13, "", "1", ""), (13, "stboT", "1", ""),
      (14, "", "2", "messages 'true'"),
      (14, "s", "2", "streaming 'on', messages 'true'"),
      (14, "stboT", "2", "streaming 'on', binary 'true', messages 'true'"),
      (15, "", "3", "messages 'true'"),
      (15, "s", "3", "streaming 'on', messages 'true'"),
      (15, "t", "3", "two_phase 'true', messages 'true'"),
      (15, "T", "3", "two_phase 'true', messages 'true'"),
      (15, "o", "3", "messages 'true'"),
      (15, "stbo", "3", "streaming 'on', two_phase 'true', binary 'true', messages 'true'"),
      (16, "", "4", "messages 'true'"),
      (16, "s", "4", "streaming 'parallel', messages 'true'"),
      (
        16, "stbo", "4",
        "streaming 'parallel', two_phase 'true', binary 'true', messages 'true', origin 'none'"
      ),
      (17, "sT", "4", "streaming 'parallel', two_phase 'true', messages 'true'"),
      (18, "sb", "4", "streaming 'parallel', binary 'true', messages 'true'"),
      (18, "so", "4", "streaming 'parallel', messages 'true', origin 'none'"),
      (19, "s", "4", "streaming 'parallel', messages 'true'"),
    ])
  func versions(major: Int, wishes: String, protocolVersion: String, more: String) {
    let head = "proto_version '\(protocolVersion)', publication_names '\"p\"'"
    #expect(options(major, wishes) == (more.isEmpty ? head : "\(head), \(more)"))
  }

  @Test("nothing is wished for unless it is named")
  func defaults() {
    #expect(
      StreamWishes()
        == StreamWishes(streaming: false, twoPhase: false, binary: false, withoutOrigins: false))
  }

  @Test("publications are names in a list in a string: each level has its quotes")
  func names() {
    #expect(
      options(13, "", ["a", "B c", "it's", "q\"q"])
        == #"proto_version '1', publication_names '"a","B c","it''s","q""q"'"#)
    // The replication grammar (`repl_scanner.l`) has no E'' strings: a backslash is a character like any other.
    #expect(options(13, "", [#"back\slash"#]) == #"proto_version '1', publication_names '"back\slash"'"#)
  }
}
