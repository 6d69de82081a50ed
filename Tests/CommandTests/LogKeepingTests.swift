import ChangeLog
import Foundation
import LocalCluster
import PGOutput
import Testing

/// `log prune`, `log readers`, `log ls` and reading across the archive, on a log that was written here.
@Suite("crossfade log, kept and archived", .timeLimit(.minutes(2))) struct LogKeepingTests {
  /// A directory with a log of five sealed segments and one that is open, and an archive of the sealed ones.
  private final class Scene {
    let directory: String
    let ends: [LSN]
    var log: String { directory + "/log" }
    var archive: String { directory + "/archive" }

    init() throws {
      directory = NSTemporaryDirectory() + "crossfade-keeping-\(UUID().uuidString.prefix(8))"
      for name in ["archive", "log"] {
        try FileManager.default.createDirectory(
          atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
      }
      let origin = OriginIdentity(
        systemIdentifier: 7, timeline: 1, databaseOID: 5, slot: "states", creationPoint: LSN(rawValue: 0x1000)
      )
      let writer = try ChangeLogWriter.open(
        directory: directory + "/log", origin: origin, start: LSN(rawValue: 0x1000),
        options: .init(segmentBytes: 400))
      var ends: [LSN] = []
      let group = RecordGroup()
      while try LogSource(directory: directory + "/log").segments().count < 6 {
        let lsn = 0x1FFF + UInt64(ends.count) * 0x1000
        let content = Array("number \(ends.count) ".utf8) + (0..<120).map { _ in UInt8.random(in: 33...126) }
        let message =
          [UInt8(ascii: "M"), 0] + Self.big(lsn) + Array("test\0".utf8) + Self.big(UInt32(content.count))
          + content
        message.withUnsafeBytes { group.append(walStart: lsn, payload: $0) }
        try writer.append(group)
        try writer.sync()
        group.removeAll()
        ends.append(LSN(rawValue: lsn + 1))
      }
      self.ends = ends
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private static func big<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
      withUnsafeBytes(of: value.bigEndian) { [UInt8]($0) }
    }

    func archiveAll() throws {
      let archiver = LogArchiver(
        directory: log, archive: ShellCommand(try ShellTemplate("cp %p \(archive)/%f")))
      while case .archived = archiver.step() {}
    }

    func run(_ arguments: String...) throws -> CapturedRun {
      try ChildProcess.run(
        [try CrossfadeBinary.path(), "log"] + arguments, environment: ["NO_COLOR": "1"], within: .seconds(60))
    }

    func files() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: log).filter { $0.hasSuffix(".lz4") }.sorted()
    }
  }

  @Test("prune shows first and drops with --yes; whom it hurts, what stays, and why")
  func prune() throws {
    let scene = try Scene()
    let segments = try LogSource(directory: scene.log).segments()
    let all = try scene.files()
    let readers = LogReaders(directory: scene.log)
    _ = try readers.register("dual-write", at: Position(endLSN: segments[3].watermark), kind: "dual-write")
    _ = try readers.register("risk", at: Position(endLSN: segments[1].start), kind: "subscriber")
    #expect(try scene.run("prune", scene.log).status == .exited(64))
    let held = try scene.run("prune", scene.log, "--size", "1KiB")
    #expect(held.status == .exited(0))
    let lines = held.output.split(separator: "\n").map(String.init)
    #expect(
      lines.first
        == "would drop 1 segment, \(segments[0].bytes) B: the log would begin at \(segments[1].start)")
    #expect(lines.contains("reader risk, at \(segments[1].start), loses nothing"))
    #expect(lines.contains("\(all[1]) stays: reader risk has read up to \(segments[1].start) only"))
    #expect(lines.last == "to drop them: the same with --yes")
    #expect(try scene.files() == all)
    let past = try scene.run("prune", scene.log, "--before", "\(segments[3].start)", "--past-readers")
    #expect(
      past.output.contains(
        "reader risk would lose what ends after \(segments[1].start) and up to \(segments[3].start); nobody has it then"
      ))
    try scene.archiveAll()
    let done = try object(
      try scene.run("prune", scene.log, "--size", "1KiB", "--past-readers", "--yes", "--json"))
    #expect(
      (done["segments"] as? [[String: Any]])?.compactMap { $0["file"] as? String } == Array(all.prefix(4)))
    let hurts = try #require(done["hurts"] as? [[String: Any]])
    #expect(
      hurts.count == 1 && hurts[0]["archived"] as? Bool == true && hurts[0]["reader"] as? String == "risk")
    #expect(try scene.files() == Array(all.dropFirst(4)))
    #expect(try scene.run("verify", scene.log).status == .exited(0))
    // A `run` that did not keep the dual-write's position has been here.
    try readers.forget("dual-write")
    try "{}".write(toFile: scene.log + "/status.json", atomically: true, encoding: .utf8)
    let unknown = try scene.run("prune", scene.log, "--size", "1KiB", "--yes")
    #expect(unknown.status == .exited(3))
    #expect(unknown.output.contains("reader dual-write: how far it is stands nowhere"))
    #expect(try scene.files() == Array(all.dropFirst(4)))
  }

  @Test("readers are listed with what they hold, and forgotten by name")
  func readers() throws {
    let scene = try Scene()
    #expect(try scene.run("readers", scene.log).output == "the log is kept for no named reader\n")
    let segments = try LogSource(directory: scene.log).segments()
    _ = try LogReaders(directory: scene.log).register(
      "risk", at: Position(endLSN: segments[2].start), kind: "replay")
    let text = try scene.run("readers", scene.log).output.split(separator: "\n").map(String.init)
    #expect(text.count == 2)
    #expect(text.last?.split(separator: " ").prefix(3) == ["risk", "replay", "\(segments[2].start)"])
    let found = try JSONSerialization.jsonObject(
      with: Data(try scene.run("readers", scene.log, "--json").output.utf8))
    let reader = try #require((found as? [[String: Any]])?.first)
    #expect(reader["holds_bytes"] as? Int == segments.dropFirst(2).reduce(0) { $0 + Int($1.bytes) })
    try "crossfade reader 9\n".write(toFile: scene.log + "/readers/odd", atomically: true, encoding: .utf8)
    #expect(
      try scene.run("readers", scene.log).output.contains(
        "odd holds the whole log: \(scene.log)/readers/odd has format version 9"))
    #expect(try scene.run("readers", scene.log, "--forget", "odd").output == "reader odd is forgotten\n")
    #expect(try scene.run("readers", scene.log, "--forget", "odd").status == .exited(1))
    #expect(try scene.run("readers", scene.log, "--forget", "../odd").status == .exited(3))
  }

  @Test(
    "a signal ends a restore command with all it started, then the reading command; nothing of it stays",
    arguments: [["cat"], ["export"]], [SIGINT, SIGTERM])
  func interrupted(command: [String], signal: Int32) throws {
    let scene = try Scene()
    try scene.archiveAll()
    #expect(try scene.run("prune", scene.log, "--size", "1KiB", "--yes").status == .exited(0))
    let pids = scene.directory + "/pids"
    let file = command == ["export"] ? [scene.directory + "/out.lz4"] : []
    let child = try ChildProcess(
      [try CrossfadeBinary.path(), "log"] + command + [scene.log] + file
        + ["--restore", "echo $$ >> \(pids); sleep 300 & echo $! >> \(pids); echo x > %p; wait # %f"],
      environment: ["NO_COLOR": "1"], output: .discard, errors: .discard)
    defer { child.stop(SIGKILL) }
    let lines = { ((try? String(contentsOfFile: pids, encoding: .utf8)) ?? "").split(separator: "\n") }
    #expect(eventually(within: .seconds(30)) { lines().count == 2 })
    #expect(child.kill(signal))
    #expect(child.wait(for: .seconds(20)) == .exited(128 + signal))
    for line in lines() {
      let pid = try #require(pid_t(line))
      #expect(eventually(within: .seconds(10)) { Self.isOver(pid) })
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scene.log + "/restored") == [])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: scene.directory).sorted()
        == ["archive", "log", "pids"])
  }

  /// Ended; what nobody has asked for yet is so too.
  private static func isOver(_ pid: pid_t) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8) else { return true }
    return text.contains("State:\tZ")
  }

  @Test("what is archived is listed, and read by cat and export with a restore command; a lying one is named")
  func restored() throws {
    let scene = try Scene()
    try scene.archiveAll()
    let all = try scene.run("cat", scene.log).output
    #expect(try scene.run("prune", scene.log, "--size", "1KiB", "--yes").status == .exited(0))
    let states = try scene.run("ls", scene.log).output.split(separator: "\n").dropFirst().map {
      String($0.split(separator: " ", omittingEmptySubsequences: true).last ?? "")
    }
    #expect(states == ["archived", "archived", "archived", "archived", "archived", "open"])
    let restore = "cp \(scene.archive)/%f %p"
    #expect(try scene.run("cat", scene.log, "--restore", restore).output == all)
    #expect(
      try scene.run("cat", scene.log, "--restore", restore, "--cache", scene.directory + "/cache").output
        == all)
    #expect(try FileManager.default.contentsOfDirectory(atPath: scene.directory + "/cache") == [])
    let from = try scene.run("cat", scene.log, "--from", "\(scene.ends[1])")
    #expect(from.status == .exited(3) && from.output.contains("\(scene.ends[1]) is no longer held"))
    let export = try scene.run("export", scene.log, scene.directory + "/part.lz4", "--restore", restore)
    #expect(export.status == .exited(0) && export.output.contains("\(scene.ends.count) changes"))
    let wrong = try scene.run("cat", scene.log, "--restore", "cp %p /x/%y")
    #expect(
      wrong.status == .exited(78) && wrong.output.contains("--restore has `%y`, which means nothing here"))
    let gone = try scene.run("cat", scene.log, "--restore", "cp /nowhere/%f %p")
    #expect(
      gone.status == .exited(74)
        && gone.output.contains("could not be restored: the restore command ended with status 1"))
    let lie = try scene.run("cat", scene.log, "--restore", "head -c 50 \(scene.archive)/%f > %p")
    #expect(lie.status == .exited(65) && lie.output.contains("is not what was archived: it has 50 bytes"))
  }
}
