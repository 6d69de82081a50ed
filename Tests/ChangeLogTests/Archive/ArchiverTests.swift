import Glibc
import PGOutput
import Testing

@testable import ChangeLog

@Suite("Archiving", .timeLimit(.minutes(2)))
struct ArchiverTests {
  @Test("each sealed segment once, in order, whole; what is open is not touched")
  func inOrder() throws {
    let log = try ArchivedLog()
    let told = "\(log.archive.path)/told"
    let archiver = LogArchiver(
      directory: log.log.path,
      archive: try ArchivedLog.command("echo %f >> \(told); cp %p \(log.archive.path)/%f"))
    var names: [String] = []
    while case .archived(let segment) = archiver.step() { names.append(segment.name) }
    let sealed = Array(log.log.segments.dropLast())
    #expect(names == sealed)
    #expect(
      String(decoding: try log.archive.contents("told"), as: UTF8.self) == sealed.map { $0 + "\n" }.joined())
    for name in sealed { #expect(try log.log.contents(name) == log.archive.contents(name)) }
    #expect(archiver.status.waiting == 0 && archiver.status.archived == sealed.count)
    #expect(archiver.status.through == (try LogDirectory(path: log.log.path).segments().last))
    // A process after it goes on where this one ended.
    try log.write(20)
    let after = try log.archiveAll()
    #expect(after == Array(log.log.segments.dropLast().dropFirst(sealed.count)) && !after.isEmpty)
  }

  @Test("a failing command is asked again for the same segment, after growing waits; nothing overtakes it")
  func failing() throws {
    let log = try ArchivedLog()
    let archiver = LogArchiver(
      directory: log.log.path,
      archive: try ArchivedLog.command(
        "test -e \(log.archive.path)/mended || { echo no room >&2; exit 9; }; cp %p \(log.archive.path)/%f"))
    let first = try #require(log.log.segments.first)
    #expect(
      archiver.step()
        == .failed(
          segment: first, reason: "the archive command ended with status 9: no room", failures: 1,
          wait: .seconds(1)))
    #expect(archiver.step() == .nothing)
    #expect(archiver.status.failing == "\(first): the archive command ended with status 9: no room")
    #expect(archiver.status.waiting == log.log.segments.count - 1 && archiver.status.waitingSince != nil)
    try log.archive.write([], to: "mended")
    let deadline = MonotonicTime(after: .seconds(30))
    while archiver.status.archived == 0, deadline?.millisecondsLeft != 0 {
      if case .archived(let segment) = archiver.step() {
        #expect(segment.name == first)
      } else {
        usleep(20_000)
      }
    }
    #expect(archiver.status.archived == 1 && archiver.status.failing == nil && archiver.status.failures == 1)
  }

  @Test("the waits: 1 s, twice as long each time, 60 s at most, for ever")
  func waits() {
    let waits = (1...9).map { ArchiveRetry.wait(failures: $0) } + [ArchiveRetry.wait(failures: .max)]
    #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map { .seconds($0) })
  }

  @Test("a command that hangs is ended with all that it started; one that is stopped is no failure")
  func hanging() throws {
    let log = try ArchivedLog()
    let pids = "\(log.archive.path)/pids"
    let hang = try ArchivedLog.command(
      "sh -c 'trap \"\" TERM; echo $$ >> \(pids); sleep 1000' & echo $$ >> \(pids); wait # %p",
      timeout: .seconds(1))
    let archiver = LogArchiver(directory: log.log.path, archive: hang)
    guard case .failed(_, let reason, 1, _) = archiver.step() else { throw Unexpected() }
    #expect(reason == "the archive command took longer than 1 s and was ended")
    for line in String(decoding: try log.archive.contents("pids"), as: UTF8.self).split(separator: "\n") {
      let pid = try #require(Int32(line))
      let deadline = MonotonicTime(after: .seconds(10))
      // An orphan is its new parent's to reap: a zombie is ended too.
      while isRunning(pid), deadline?.millisecondsLeft != 0 { usleep(10_000) }
      #expect(!isRunning(pid))
      // Reaped already; only this one is asked for, since other tests have children, too.
      #expect(waitpid(pid, nil, WNOHANG) == -1)
    }
    let stopping = LogArchiver(directory: log.log.path, archive: hang)
    #expect(stopping.step(isStopped: { true }) == .stopped)
    #expect(stopping.status.failures == 0)
    #expect(try ArchiveCatalogue.load(directory: log.log.path).segments.isEmpty)
  }

  private struct Unexpected: Error {}

  private func isRunning(_ pid: pid_t) -> Bool {
    guard kill(pid, 0) == 0, let file = try? LogFile(path: "/proc/\(pid)/status", mode: .read) else {
      return false
    }
    var bytes = [UInt8](repeating: 0, count: 512)
    let got = (try? bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }) ?? 0
    return !String(decoding: bytes[..<got], as: UTF8.self).contains("State:\tZ")
  }

  @Test(
    "a command that says it has archived and has not is found out, where there is a way back, and asked again"
  )
  func lying() throws {
    let log = try ArchivedLog()
    let mended = "\(log.archive.path)/mended"
    let archive = try ArchivedLog.command(
      "if test -e \(mended); then cp %p \(log.archive.path)/%f; else head -c 100 %p > \(log.archive.path)/%f; fi"
    )
    let archiver = LogArchiver(directory: log.log.path, archive: archive, restore: try log.bringing())
    let first = try #require(log.log.segments.first)
    guard case .failed(first, let reason, 1, _) = archiver.step() else { throw Unexpected() }
    #expect(
      reason.hasPrefix(
        "the archive command ended with status 0, but what is restored differs: it has 100 bytes"))
    #expect(try ArchiveCatalogue.load(directory: log.log.path).segments.isEmpty)
    // Retention lets nothing of it go.
    var rules = RetentionRules(bytes: 1)
    rules.archive = .verified
    let plan = try LogPruner(directory: log.log.path).plan(rules)
    #expect(plan.drops.isEmpty && plan.held?.hold == .notArchived)
    try log.archive.write([], to: "mended")
    let again = LogArchiver(directory: log.log.path, archive: archive, restore: try log.bringing())
    guard case .archived(let segment) = again.step() else { throw Unexpected() }
    #expect(segment.name == first && segment.isVerified)
  }

  @Test("a command that says it has archived and has archived nothing is asked again, by the same process")
  func lyingOnce() throws {
    let log = try ArchivedLog()
    let lied = "\(log.archive.path)/lied"
    let archive = try ArchivedLog.command(
      "if test -e \(lied); then cp %p \(log.archive.path)/%f; else touch \(lied); fi")
    let archiver = LogArchiver(directory: log.log.path, archive: archive, restore: try log.bringing())
    let first = try #require(log.log.segments.first)
    guard case .failed(first, let reason, 1, _) = archiver.step() else { throw Unexpected() }
    #expect(reason.hasPrefix("the restore command ended with status 1"))
    #expect(try archived(by: archiver)?.name == first)
  }

  @Test(
    "what was believed, and is not there when it is verified later, is archived again, as the good copy is here"
  )
  func believedWrongly() throws {
    let log = try ArchivedLog()
    let believing = LogArchiver(
      directory: log.log.path, archive: try ArchivedLog.command("true %p"))
    while case .archived = believing.step() {}
    let verifying = LogArchiver(
      directory: log.log.path, archive: try log.copying(), restore: try log.bringing())
    let first = try #require(log.log.segments.first)
    guard case .failed(first, _, 1, _) = verifying.step() else { throw Unexpected() }
    let segment = try archived(by: verifying)
    #expect(segment?.name == first && segment?.isVerified == true)
    #expect(try log.archive.contents(first) == log.log.contents(first))
  }

  /// The next segment that is archived, within half a minute.
  private func archived(by archiver: LogArchiver) throws -> ArchivedSegment? {
    let deadline = MonotonicTime(after: .seconds(30))
    while deadline?.millisecondsLeft != 0 {
      if case .archived(let segment) = archiver.step() { return segment }
      usleep(20_000)
    }
    return nil
  }

  @Test("a command that prints without end is ended when its time is over, and little of it is kept")
  func endlessOutput() throws {
    let outcome = try ArchivedLog.command("yes # %f", timeout: .seconds(1)).run(path: "/x", name: "y")
    guard case .timedOut = outcome.end else { throw Unexpected() }
    #expect(outcome.output.utf8.count <= 4096)
  }

  @Test("without a way back its word is taken; with one given later, it is verified before it may go")
  func verifiedLater() throws {
    let log = try ArchivedLog()
    try log.archiveAll()
    var rules = RetentionRules(bytes: 1)
    rules.archive = .verified
    #expect(try LogPruner(directory: log.log.path).plan(rules).held?.hold == .notVerified)
    unlink("\(log.archive.path)/told")
    let again = LogArchiver(
      directory: log.log.path, archive: try ArchivedLog.command("echo %f > \(log.archive.path)/told"),
      restore: try log.bringing())
    while case .archived(let segment) = again.step() { #expect(segment.isVerified) }
    #expect(!log.archive.files.contains("told"))
    #expect(try LogPruner(directory: log.log.path).plan(rules).drops.count == log.log.segments.count - 1)
  }

  @Test(
    "what was archived under a name is not replaced by another segment of that name, nor by a damaged one")
  func changed() throws {
    let log = try ArchivedLog()
    let name = try #require(log.log.segments.first)
    var bytes = try log.log.contents(name)
    bytes[300] ^= 1
    try log.log.write(bytes, to: name)
    let archiver = LogArchiver(directory: log.log.path, archive: try log.copying())
    guard case .failed(name, let reason, 1, _) = archiver.step() else { throw Unexpected() }
    #expect(reason.hasSuffix("its SHA-256 is not the one that the next segment's header has"))
    bytes[300] ^= 1
    try log.log.write(bytes, to: name)
    try log.archiveAll()
    // Another log in the same place.
    let twin = try ArchivedLog(table: 16385)
    try log.write(20)
    try twin.write(20)
    for name in log.log.segments { try log.log.write(try twin.log.contents(name), to: name) }
    let offered = LogArchiver(
      directory: log.log.path, archive: try ArchivedLog.command("touch \(log.archive.path)/offered # %p"))
    guard case .failed(_, let why, 1, _) = offered.step() else { throw Unexpected() }
    #expect(why == "another segment was archived under this name; it is not archived again")
    #expect(!log.archive.files.contains("offered"))
  }

  @Test(
    "a catalogue whose last line is torn loses that line, and no more; other damage and newer versions are refused"
  )
  func catalogue() throws {
    let log = try ArchivedLog()
    let names = try log.archiveAll()
    let whole = try log.log.contents("archived")
    for cut in stride(from: 1, to: 200, by: 13) {
      try log.log.write(Array(whole.dropLast(cut)), to: "archived")
      let found = try ArchiveCatalogue.load(directory: log.log.path).segments.map(\.name)
      #expect(found == Array(names.prefix(found.count)) && found.count >= names.count - 2)
      let again = try log.archiveAll()
      #expect(again == Array(names.dropFirst(found.count)))
      #expect(try ArchiveCatalogue.load(directory: log.log.path).segments.map(\.name) == names)
    }
    var damaged = whole
    damaged[60] ^= 1
    try log.log.write(damaged, to: "archived")
    #expect(throws: ChangeLogError.self) { try ArchiveCatalogue.load(directory: log.log.path) }
    let title = Array("crossfade archive catalogue 2\n".utf8)
    try log.log.write(title, to: "archived")
    let error = #expect(throws: ChangeLogError.self) { try ArchiveCatalogue.load(directory: log.log.path) }
    #expect(
      error.map { "\($0)" } == "\(log.log.path)/archived has format version 2; this program reads version 1")
  }

  @Test(
    "a command is given no input, no connection string, no descriptor; its places are put in, others are refused"
  )
  func command() throws {
    let place = try TemporaryDirectory()
    setenv("CROSSFADE_SECRET_TEST", "hidden", 1)
    setenv("CROSSFADETEST", "shown", 1)
    defer {
      unsetenv("CROSSFADE_SECRET_TEST")
      unsetenv("CROSSFADETEST")
    }
    let held = Glibc.open("/dev/null", O_RDONLY)
    defer { close(held) }
    let run = try ArchivedLog.command("{ echo %p %f 100%%; cat; env; ls /proc/self/fd; } > \(place.path)/out")
      .run(path: "/somewhere/é/x", name: "y")
    #expect(run.isDone, "\(run)")
    let lines = String(decoding: try place.contents("out"), as: UTF8.self).split(separator: "\n")
    #expect(lines.first == "/somewhere/é/x y 100%")
    #expect(lines.contains("CROSSFADETEST=shown") && !lines.contains { $0.contains("hidden") })
    #expect(lines.suffix(4) == ["0", "1", "2", "3"])
    for (text, problem) in [
      ("", ShellTemplate.Problem.empty), ("cp %p /x/%n", .unknownPlace("%n")),
      ("cp %p 5%", .unknownPlace("%")),
      ("cp a b", .nameless), ("date %% > x", .nameless),
    ] {
      #expect(throws: problem) { try ShellTemplate(text) }
    }
    for path in ["/a b", "/a;b", "/a$b", "/a'b", "-rf"] {
      guard case .notStarted = try ArchivedLog.command("cp %p x").run(path: path, name: "y").end else {
        Issue.record("\(path) was put in")
        continue
      }
    }
  }

  @Test("the command that the documentation names archives once, again, and never over another file")
  func documented() throws {
    let place = try TemporaryDirectory()
    let command = try ArchivedLog.command(
      "cmp -s %p /archive/%f || { test ! -e /archive/%f && cp %p /archive/%f.part.$$ && sync /archive/%f.part.$$ && mv /archive/%f.part.$$ /archive/%f; }"
        .replacing("/archive", with: place.path + "/archive"))
    #expect(mkdir(place.path + "/archive", 0o700) == 0)
    defer {
      unlink(place.path + "/archive/x.lz4")
      rmdir(place.path + "/archive")
    }
    try place.write(Array("one".utf8), to: "here")
    #expect(command.run(path: place.path + "/here", name: "x.lz4").isDone)
    #expect(command.run(path: place.path + "/here", name: "x.lz4").isDone)
    try place.write(Array("two".utf8), to: "here")
    #expect(command.run(path: place.path + "/here", name: "x.lz4").end == .refused(status: 1))
    #expect(try place.contents("archive/x.lz4") == Array("one".utf8))
    #expect(try Directory.names(in: place.path + "/archive") == ["x.lz4"])
  }

  @Test(
    "a catalogue or a reader's file with any byte changed or cut is an error or says less, never something else"
  )
  func anyByte() throws {
    let log = try ArchivedLog(transactions: 12)
    try log.archiveAll()
    _ = try LogReaders(directory: log.log.path).register("risk", kind: "subscriber")
    let whole = try ArchiveCatalogue.load(directory: log.log.path).segments
    let bytes = try log.log.contents("archived")
    for at in bytes.indices {
      for change in [1, 0x20, 0x80] as [UInt8] {
        var changed = bytes
        changed[at] ^= change
        try log.log.write(changed, to: "archived")
        guard let found = try? ArchiveCatalogue.load(directory: log.log.path).segments else { continue }
        #expect(found == Array(whole.prefix(found.count)), "byte \(at)")
      }
      try log.log.write(Array(bytes[..<at]), to: "archived")
      let found = try ArchiveCatalogue.load(directory: log.log.path).segments
      #expect(found == Array(whole.prefix(found.count)))
    }
    let reader = try log.log.contents("readers/risk")
    for at in reader.indices {
      try log.log.write(Array(reader[..<at]), to: "readers/risk")
      guard case .failure? = try LogReaders(directory: log.log.path).list().first?.reader else {
        Issue.record("cut at \(at)")
        continue
      }
    }
  }
}
