import ChangeLog
import Foundation
import LocalCluster
import PGOutput
import Testing

/// A replay whose log begins in the archive. No server: it prints.
@Suite("crossfade replay across the archive", .timeLimit(.minutes(2))) struct ReplayArchiveTests {
  /// A log of tiny segments with a row a transaction, its archive, and a definition that can restore, or cannot.
  private final class Scene {
    let directory = NSTemporaryDirectory() + "crossfade-replay-archive-\(UUID().uuidString.prefix(8))"
    private(set) var ends: [LSN] = []
    var log: String { directory + "/log" }
    var archive: String { directory + "/archive" }

    private static let table = Relation(
      id: RelationID(rawValue: 16_400), namespace: "public", name: "transactions", replicaIdentity: .default,
      columns: [
        Column(isKey: true, name: "id", type: TypeOID(rawValue: 20)),
        Column(name: "status", type: TypeOID(rawValue: 25)),
      ])

    init() throws {
      for name in ["archive", "log"] {
        try FileManager.default.createDirectory(
          atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
      }
      let start = LSN(rawValue: 0x1000)
      let writer = try ChangeLogWriter.open(
        directory: log,
        origin: OriginIdentity(
          systemIdentifier: 7, timeline: 1, databaseOID: 5, slot: "states", creationPoint: start),
        start: start, options: .init(segmentBytes: 400))
      while try LogSource(directory: log).segments().count < 6 {
        let end = LSN(rawValue: 0x2000 + UInt64(ends.count) * 0x1000)
        try writer.append(Self.transaction(ends.count, end))
        try writer.sync()
        ends.append(end)
      }
      for (name, restore) in [("with", "  restore: 'cp \(archive)/%f %p'\n"), ("without", "")] {
        try """
        version: 1
        slot: states
        source:
          connection: host=/nowhere dbname=none
        derive:
          table: public.transactions
          key: [id]
          from: status
          to: state_id
          map:
            table: public.transaction_state
            id: id
            code: code
            status: legacy_status
            states:
              - {id: 1, code: authorized, status: AUTH}
        log:
          directory: \(log)
        \(restore)
        """.write(toFile: "\(directory)/\(name).yaml", atomically: true, encoding: .utf8)
      }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private static func transaction(_ number: Int, _ end: LSN) throws -> RecordGroup {
      let group = RecordGroup()
      func add(_ encode: (inout WireWriter) throws -> Void) rethrows {
        var record = WireWriter()
        try encode(&record)
        record.bytes.withUnsafeBytes { group.append(walStart: end.rawValue, payload: $0) }
      }
      let time = Timestamp(rawValue: Int64(number) * 1_000_000)
      let final = LSN(rawValue: end.rawValue - 0x30)
      add { Begin(finalLSN: final, commitTime: time, xid: TransactionID(rawValue: 7)).encode(to: &$0) }
      if number == 0 { add { table.encode(to: &$0) } }
      let row = OwnedTuple([.text("\(number)"), .text("AUTH")])
      try add { Insert(relation: table.id, new: try row.view).encode(to: &$0) }
      add { Commit(commitLSN: final, endLSN: end, commitTime: time).encode(to: &$0) }
      return group
    }

    /// Archives what is sealed, and drops it from the log.
    func archiveAndDrop() throws {
      let archiver = LogArchiver(
        directory: log, archive: ShellCommand(try ShellTemplate("cp %p \(archive)/%f")))
      while case .archived = archiver.step() {}
      let pruned = try run("log", "prune", log, "--size", "1KiB", "--yes")
      try #require(pruned.status == .exited(0), "\(pruned.output)")
    }

    func run(_ arguments: String...) throws -> CapturedRun {
      try ChildProcess.run(
        [try CrossfadeBinary.path()] + arguments, environment: ["NO_COLOR": "1"], within: .seconds(60))
    }

    func replay(_ definition: String, _ arguments: String..., from: String = "earliest") throws -> CapturedRun
    {
      try ChildProcess.run(
        [try CrossfadeBinary.path(), "replay", "\(directory)/\(definition).yaml", "--from", from] + arguments,
        environment: ["NO_COLOR": "1"], within: .seconds(60))
    }
  }

  @Test("with log.restore or --restore it begins where the archive does, and prints the same as before")
  func across() throws {
    let scene = try Scene()
    let all = try scene.replay("without")
    #expect(all.status == .exited(0) && all.output.lines.count == scene.ends.count, "\(all.output)")
    try scene.archiveAndDrop()
    let held = try #require(try LogSource(directory: scene.log).segments().first).start
    let rest = try scene.replay("without")
    let first = try #require(scene.ends.firstIndex { $0 > held })
    #expect(first > 3 && rest.output.lines == Array(all.output.lines[first...]), "\(rest.output)")

    #expect(try scene.replay("with") == all)
    let restore = "cp \(scene.archive)/%f %p"
    let cache = scene.directory + "/cache"
    #expect(try scene.replay("without", "--restore", restore, "--cache", cache) == all)
    #expect(try FileManager.default.contentsOfDirectory(atPath: cache) == [])
    let later = try scene.replay("with", "--to", "\(scene.ends[first])", from: "\(scene.ends[1])")
    #expect(later.output.lines == Array(all.output.lines[2...first]), "\(later.output)")
    let one = try scene.replay("with", "--key", "1")
    #expect(one.output.lines == [all.output.lines[1]])
  }

  @Test("what cannot be brought back is an error with its reason, after what could")
  func missing() throws {
    let scene = try Scene()
    let all = try scene.replay("with").output.lines
    try scene.archiveAndDrop()
    let refused = try scene.replay("without", from: "\(scene.ends[0])")
    #expect(refused.status == .exited(3) && refused.output.contains("is no longer held"), "\(refused.output)")
    let second = try #require(try ArchiveCatalogue.load(directory: scene.log).segments.dropFirst().first)
    try FileManager.default.removeItem(atPath: "\(scene.archive)/\(second.name)")
    let gone = try scene.replay("with")
    #expect(gone.status == .exited(74), "\(gone.output)")
    #expect(
      gone.output.contains("\(second.name) could not be restored: the restore command ended with status 1"))
    let before = try #require(scene.ends.firstIndex { $0 > second.start })
    #expect(before > 0 && gone.output.lines.filter { $0.hasPrefix("{") } == Array(all[..<before]))
  }
}
