import ChangeLog
import Foundation
import LocalCluster
import PGOutput
import Postgres
import Testing

extension Integration {
  @Suite("Archive and retention", .timeLimit(.minutes(5))) struct KeepingTests {
    @Test(
      "killed again and again under traffic, archive and log together hold every transaction once, in order")
    func everything() throws {
      let seed = Seed.draw(for: "keeping")
      let archive = try ScratchDirectory()
      let ledger = try LedgerFixture("keeping", rows: 500) {
        $0.segment = "64KiB"
        $0.log = [
          "retain: {size: 256KiB}",
          "archive: 'echo %f >> \(archive.path)/told; sleep 0.1; cp %p \(archive.path)/%f.part && mv \(archive.path)/%f.part \(archive.path)/%f'",
          "restore: cp \(archive.path)/%f %p",
        ]
      }
      try ledger.expand()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: seed, perSecond: 600))
      var process = try ledger.start()
      try ledger.awaitStream(process)
      workload.start()
      var generator = SeededGenerator(seed: seed)
      for _ in 0..<6 {
        usleep(UInt32.random(in: 700_000...2_500_000, using: &generator))
        try #require(process.kill() == .signalled(SIGKILL), "\(process.outputTail)")
        process = try ledger.start()
      }
      try ledger.awaitStream(process)
      let dropped = try eventually(within: .seconds(90)) {
        let catalogue = try ArchiveCatalogue.load(directory: ledger.logDirectory)
        let first = try LogSource(directory: ledger.logDirectory).segments().first?.start
        return (first ?? .invalid) > (catalogue.segments.first?.start ?? .invalid)
      }
      #expect(dropped, "\(process.outputTail)")
      #expect(workload.stop().errors == [:])
      try ledger.awaitCaughtUp(process)
      let status = try ledger.command("status")
      #expect(status.output.contains("\narchive    through "), "\(status.output)")
      #expect(status.output.contains("\nretention  "), "\(status.output)")
      #expect(process.stop() == .exited(0), "\(process.outputTail)")

      let directory = ledger.logDirectory
      let source = LogSource(
        directory: directory, restore: LogRestore(ShellCommand(try ShellTemplate("cp \(archive.path)/%f %p")))
      )
      let session = try ledger.connect()
      let comparison = try ExactlyOnce(
        log: LoggedHistory(source: source), audit: AuditedHistory(session))
      #expect(comparison.findings == [], "seed \(seed)")
      let verified = try LogVerifier.verify(directory: directory)
      #expect(verified.problems == [] && verified.unfinishedBytes == 0)
      let catalogue = try ArchiveCatalogue.load(directory: directory)
      #expect(catalogue.segments.allSatisfy { $0.isVerified })
      // In order; again only what was in flight when the process was killed.
      let told = try String(contentsOfFile: "\(archive.path)/told", encoding: .utf8).split(separator: "\n")
      #expect(told == told.sorted())
      #expect(told.count - Set(told).count <= 6)
      #expect(Set(told).isSuperset(of: catalogue.segments.map { $0.name[...] }))
      let reader = try #require(try LogReaders(directory: directory).list().first)
      #expect(reader.name == NamedReader.dualWrite)
      _ = try reader.reader.get()
      print("keeping: \(comparison); \(catalogue.segments.count) segments archived")
    }

    @Test("an archive that fails is waited for, and nothing is dropped; status says since when and why")
    func failing() throws {
      let archive = try ScratchDirectory()
      let ledger = try LedgerFixture("keeping_failing", rows: 500) {
        $0.segment = "64KiB"
        $0.log = [
          "retain: {size: 64KiB}",
          "archive: 'test -e \(archive.path)/mended || { echo no room >&2; exit 4; }; cp %p \(archive.path)/%f'",
        ]
      }
      let process = try ledger.expandAndStart()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: 1, perSecond: 600))
      workload.start()
      let failed = eventually(within: .seconds(60)) {
        process.output.contains("not archived: the archive command ended with status 4: no room")
          && process.output.contains("retention waits: it is not archived")
      }
      #expect(failed, "\(process.outputTail)")
      _ = workload.stop()
      let status = try ledger.command("status").output
      #expect(status.contains("it fails: ") && status.contains("status 4: no room"), "\(status)")
      #expect(try ArchiveCatalogue.load(directory: ledger.logDirectory).segments.isEmpty)
      let first = try #require(try LogSource(directory: ledger.logDirectory).segments().first)
      _ = try archive.write("", to: "mended")
      let dropped = eventually(within: .seconds(90)) { process.output.contains("dropped by retention") }
      #expect(dropped, "\(process.outputTail)")
      #expect(try LogSource(directory: ledger.logDirectory).segments().first?.start != first.start)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "an archive command that does not come back keeps nothing waiting: capture, confirmation, dual-write")
    func slow() throws {
      let archive = try ScratchDirectory()
      let ledger = try LedgerFixture("keeping_slow", rows: 500) {
        $0.segment = "64KiB"
        $0.log = [
          "archive: 'touch \(archive.path)/begun; until test -e \(archive.path)/go; do sleep 0.1; done; "
            + "cp %p \(archive.path)/%f'"
        ]
      }
      let process = try ledger.expandAndStart()
      let workload = Workload(conninfo: ledger.conninfo, plan: .everyKind(seed: 2, perSecond: 600))
      workload.start()
      let begun = eventually(within: .seconds(60)) { access("\(archive.path)/begun", F_OK) == 0 }
      try #require(begun, "\(process.outputTail)")
      let before = try LogSource(directory: ledger.logDirectory).segments().count
      let session = try ledger.connect()
      let committed = try session.query("SELECT pg_current_wal_lsn()", purpose: "look")[0, 0] ?? ""
      try ledger.awaitCaughtUp(process)
      try ledger.awaitRow(
        "SELECT confirmed_flush_lsn >= '\(committed)' FROM pg_replication_slots WHERE slot_name = '\(ledger.slot)'",
        process)
      let grown = try eventually(within: .seconds(60)) {
        try LogSource(directory: ledger.logDirectory).segments().count >= before + 2
      }
      #expect(grown, "\(process.outputTail)")
      #expect(try ArchiveCatalogue.load(directory: ledger.logDirectory).segments.isEmpty)
      #expect(workload.stop().errors == [:])
      _ = try archive.write("", to: "go")
      let archived = try eventually(within: .seconds(60)) {
        try ArchiveCatalogue.load(directory: ledger.logDirectory).segments.count > before
      }
      #expect(archived, "\(process.outputTail)")
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }
  }
}
