import ChangeLog
import Derivation
import Testing

@testable import Migration

@Suite("What check says of retention and archive") struct LogKeepingFactsTests {
  private func lines(
    _ retain: SlotDefinition.Retain = .init(), archive: String? = nil, restore: String? = nil,
    bytes: UInt64 = 0
  ) -> [String] {
    var log = SlotDefinition.Log(directory: "/log")
    log.retain = retain
    log.archive = archive
    log.restore = restore
    return Fixture.lines(LogKeepingFacts(log).findings(bytes: bytes, free: 80 << 30, segment: 64 << 20))
  }

  @Test("everything kept is said, and warned of when it takes more than what is free")
  func kept() {
    #expect(lines() == ["pass log retention: everything is kept: 0 B so far, 80.0 GiB free"])
    #expect(lines(bytes: 90 << 30)[0].hasPrefix("warn log retention: everything is kept: 90.0 GiB so far"))
  }

  @Test("rules are told; a size that the disk or the segments do not fit is warned of")
  func rules() {
    let both = SlotDefinition.Retain(age: Age("30d"), size: ByteCount("50GiB"))
    #expect(lines(both) == ["pass log retention: segments are dropped after 30d, and beyond 50GiB"])
    #expect(
      lines(.init(size: ByteCount("90GiB")))[0].hasPrefix(
        "warn log retention: segments are dropped beyond 90GiB, and the disk has room for 80.0 GiB"))
    #expect(
      lines(.init(size: ByteCount("64MiB")))[0].hasPrefix(
        "warn log retention: segments are dropped beyond 64MiB, less than two segments"))
  }

  @Test(
    "a command's program is looked for; one that is the shell's is not; dropping on its word alone is warned of"
  )
  func commands() {
    let drops = SlotDefinition.Retain(age: Age("30d"))
    #expect(
      lines(archive: "/bin/sh x %p", restore: "/bin/sh y %f").dropFirst() == [
        "pass log archive: runs /bin/sh", "pass log restore: runs /bin/sh",
      ])
    #expect(
      lines(archive: "test ! -e /a/%f && cp %p /a/%f")[1]
        == "pass log archive: runs the shell; what it calls is not looked up")
    #expect(
      lines(archive: "no-such-program %p")[1].hasPrefix(
        "fail log archive: no-such-program is not to be found"))
    #expect(
      lines(drops, archive: "/bin/sh %p")[1].hasPrefix(
        "warn log archive: runs /bin/sh; segments are dropped when it has ended with status 0, on its word alone"
      ))
    #expect(lines(drops, archive: "/bin/sh %p", restore: "/bin/sh %f").allSatisfy { $0.hasPrefix("pass") })
    var odd = LogKeepingFacts(.init(directory: "/a log", archive: "/bin/sh %p"))
    odd.archive = nil
    #expect(
      Fixture.lines(odd.findings(bytes: 0, free: 80 << 30, segment: 64 << 20))[1].hasPrefix(
        "fail log archive: /a log holds"))
  }

  @Test("the definition takes a command that the log can run, and no other")
  func sameCommands() {
    for command in [
      "cp %p /a/%f", "cp /a/%f %p", "date %%", "cp %p 5%", "cp %p %n", "  ", "x%f", "%%p", "%%%p",
      "echo %é %p", "%",
    ] {
      let yaml = """
        version: 1
        slot: states
        source: {connection: host=/run}
        derive:
          table: public.transactions
          key: [id]
          from: status
          to: state_id
          map: {table: public.state, id: id, code: code, status: status}
        log: {directory: /log, archive: '\(command)'}
        """
      let isTaken = (try? SlotDefinition.parse(yaml: yaml, file: "x", environment: [:])) != nil
      let runs = (try? ShellTemplate(command)) != nil
      #expect(isTaken == runs, "\(command)")
    }
    #expect((try? ShellTemplate("cp %p /a/%f")) != nil)
  }
}
