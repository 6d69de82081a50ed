import ChangeLog
import Glibc

/// Records appended to the log and made durable, beside `lz4 -1` that writes the same bytes to a file.
///
/// Ours compresses, adds announcements with CRC-32C, hashes with SHA-256 and syncs. Theirs is the command line tool: once
/// to a file that is synced at its end, and once through `dd oflag=dsync`, which makes as many synchronous writes as
/// ours makes syncs. Records stand in memory before ours begins, and in a file in the page cache before theirs does.
struct LogAppendBench {
  private static let groupBytes = 1 << 20

  func run(only: String, _ report: inout Report) throws {
    guard Self.exists("lz4") else {
      say("  not measured: there is no `lz4` on this machine (apt-get install lz4)")
      return
    }
    var traffic = LedgerTraffic(size: 1)
    let groups = (0..<256).map { number in
      let group = RecordGroup(capacity: Self.groupBytes + 4096)
      if number == 0 { traffic.describe(to: group) }
      traffic.fill(group, bytes: Self.groupBytes)
      return group
    }
    let bytes = groups.reduce(0) { $0 + $1.byteCount }
    let work = try LedgerLog("append")
    defer { work.remove() }
    let input = "\(work.directory)/records"
    try Self.write(groups, to: input)
    for (name, isSynced) in [("log-append", false), ("log-append-synced", true)] where name.hasPrefix(only) {
      var ours: [Stopwatch] = []
      var theirs: [MeasuredRun] = []
      for _ in 0..<Bench.rounds {
        let stored = try Self.append(groups, isSynced, &ours)
        let output = "\(work.directory)/out.lz4"
        let block = stored / groups.count
        let command =
          isSynced
          ? "lz4 -1 -q -c \(input) | dd of=\(output) bs=\(block) iflag=fullblock oflag=dsync status=none"
          : "lz4 -1 -q -f \(input) \(output) && sync \(output)"
        theirs.append(try MeasuredRun(["sh", "-c", command]))
        guard theirs.last?.exitCode == 0 else { throw BenchError("`\(command)` failed") }
        unlink(output)
      }
      let megabytes = Double(bytes) / 1e6
      let reference = isSynced ? "lz4 -1 | dd oflag=dsync" : "lz4 -1 && sync"
      report.add(
        .init(
          name: name, unit: "MB/s of records", ours: ours.map { megabytes / $0.seconds },
          reference: reference,
          theirs: theirs.map { megabytes / $0.seconds }))
      report.add(
        .init(
          name: name + "-cpu", unit: "ms/GB", ours: ours.map { $0.processor * 1e6 / megabytes },
          reference: reference, theirs: theirs.map { $0.processor * 1e6 / megabytes }))
    }
  }

  /// Appends all groups to a new log; gives the bytes stored.
  private static func append(
    _ groups: [RecordGroup], _ isSynced: Bool, _ times: inout [Stopwatch]
  ) throws -> Int {
    let log = try LedgerLog("append")
    defer { log.remove() }
    let writer = try log.writer()
    times.append(
      try Stopwatch.time {
        for group in groups {
          try writer.append(group)
          if isSynced { try writer.sync() }
        }
        try writer.sync()
      }.1)
    return try log.stored()
  }

  private static func write(_ groups: [RecordGroup], to path: String) throws {
    guard let file = fopen(path, "w") else { throw BenchError("cannot write \(path)") }
    defer { fclose(file) }
    for group in groups { group.withUnsafeBytes { _ = fwrite($0.baseAddress, 1, $0.count, file) } }
  }

  /// Whether a program can be found.
  static func exists(_ program: String) -> Bool {
    (try? MeasuredRun(["sh", "-c", "command -v \(program) >/dev/null"]))?.exitCode == 0
  }
}
