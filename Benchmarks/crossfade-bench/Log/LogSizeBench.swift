import ChangeLog
import Glibc
import LocalCluster
import PGOutput
import Postgres

/// Bytes a change, of the traffic of a card ledger as a server sends it: inserts and updates of one row or a few, by two
/// sessions. Ours are whole files, with announcements, checksums and relations.
struct LogSizeBench {
  private static let table = "public.transactions"
  private static let statements = 10_000

  func run(_ report: inout Report) throws {
    let bench = try BenchCluster(rows: 0)
    defer { bench.finish() }
    try bench.script("DROP PUBLICATION bench; DROP TABLE public.transactions")
    try LedgerLoader(rows: 20_000).createAndLoad(conninfo: bench.cluster.conninfo())
    try bench.script(
      "ALTER TABLE \(Self.table) ADD COLUMN state_id bigint; CREATE PUBLICATION bench FOR TABLE \(Self.table)"
    )
    try bench.createSlot("size")
    let refusal = Self.createJSONSlot(bench)
    let traffic = Workload(conninfo: bench.cluster.conninfo())
    traffic.start()
    while traffic.tally().statements < Self.statements, traffic.isRunning { usleep(100_000) }
    _ = traffic.stop()
    try bench.script("SELECT pg_logical_emit_message(true, 'bench', 'end')")
    let end = try bench.position()
    let directory = "\(bench.directory)/size"
    let capture = try MeasuredRun([
      "/proc/self/exe", CaptureWorker.verb, bench.cluster.conninfo(), "size", "bench", directory, "\(end)",
    ])
    guard capture.exitCode == 0 else { throw BenchError("capture ended with \(capture.exitCode)") }
    let raw = "\(bench.directory)/raw"
    let sizes = try Self.sizes(directory, raw, alone: "\(bench.directory)/alone")
    say("  \(sizes.changes) changes in \(sizes.transactions) transactions")
    func add(_ name: String, _ ours: Int, _ reference: String, _ theirs: Int) {
      let changes = Double(sizes.changes)
      report.add(
        .init(
          name: name, unit: "bytes/change", ours: [Double(ours) / changes], reference: reference,
          theirs: [Double(theirs) / changes]))
    }
    add("log-size", sizes.stored, "raw pgoutput", sizes.raw)
    add("log-size-frame-each", sizes.alone, "raw pgoutput", sizes.raw)
    for (tool, command) in [("zstd", "zstd -1 -q -c"), ("lz4", "lz4 -1 -q -c")] {
      guard LogAppendBench.exists(tool) else {
        say("  log-size-\(tool) is not measured: there is no `\(tool)` on this machine")
        continue
      }
      let packed = "\(bench.directory)/packed"
      guard try MeasuredRun(["sh", "-c", "\(command) \(raw) >\(packed)"]).exitCode == 0 else {
        throw BenchError("`\(command)` failed")
      }
      add("log-size-\(tool)", sizes.stored, "\(tool) -1 of raw pgoutput", try Self.fileSize(packed))
    }
    if let refusal {
      say("  log-size-json is not measured: \(refusal)")
    } else {
      add("log-size-json", sizes.stored, "wal2json text", try Self.jsonBytes(bench, end))
    }
  }

  /// A slot for wal2json; why there is none, where the server has no such plugin.
  private static func createJSONSlot(_ bench: BenchCluster) -> String? {
    do {
      // Minor releases of 2026 load only the plugins that are listed.
      if try bench.script("SELECT 1 FROM pg_settings WHERE name = 'output_plugin_libraries'").rowCount > 0 {
        try bench.script("ALTER SYSTEM SET output_plugin_libraries = pgoutput, wal2json")
        try bench.script("SELECT pg_reload_conf()")
        usleep(500_000)
      }
      try bench.script("SELECT pg_create_logical_replication_slot('size_json', 'wal2json')")
      return nil
    } catch { return "\(error)" }
  }

  /// Bytes of the lines that wal2json writes for the same transactions, a line a change.
  private static func jsonBytes(_ bench: BenchCluster, _ end: LSN) throws -> Int {
    let rows = try bench.script(
      """
      SELECT sum(octet_length(data) + 1)
        FROM pg_logical_slot_peek_changes('size_json', '\(end)', NULL, 'format-version', '2', 'add-tables', '\(table)')
      """)
    guard let bytes = rows.integer(0, 0) else { throw BenchError("wal2json wrote nothing") }
    return Int(bytes)
  }

  private struct Sizes {
    var changes = 0
    var transactions = 0
    /// Bytes of our segments.
    var stored = 0
    /// The same when every transaction has a frame of its own, as it has where they come one at a time.
    var alone = 0
    /// Bytes of the messages.
    var raw = 0
  }

  /// Reads the log once; writes its messages, bare, to `raw`, and its transactions one by one to a second log.
  private static func sizes(_ directory: String, _ raw: String, alone: String) throws -> Sizes {
    var sizes = Sizes()
    let segments = try LogSource(directory: directory).segments()
    guard let first = segments.first else { throw BenchError("nothing was captured") }
    sizes.stored = segments.reduce(0) { $0 + Int($1.bytes) }
    guard let file = fopen(raw, "w") else { throw BenchError("cannot write \(raw)") }
    let writer = try ChangeLogWriter.open(directory: alone, origin: first.origin, start: first.start)
    let group = RecordGroup()
    let reader = try LogReader(directory: directory, after: first.start)
    while let chunk = try reader.next(timeout: .zero) {
      sizes.changes += chunk.changes
      sizes.transactions += chunk.transactions
      try chunk.forEachRecord { record throws(ChangeLogError) in
        fwrite(record.payload.baseAddress, 1, record.payload.count, file)
        sizes.raw += record.payload.count
        group.append(walStart: record.walStart, payload: record.payload)
        guard record.payload.first == UInt8(ascii: "C") else { return }
        try writer.append(group)
        group.removeAll()
      }
    }
    fclose(file)
    try writer.sync()
    sizes.alone = try LogSource(directory: alone).segments().reduce(0) { $0 + Int($1.bytes) }
    return sizes
  }

  private static func fileSize(_ path: String) throws -> Int {
    var info = stat()
    guard stat(path, &info) == 0 else { throw BenchError("there is no \(path)") }
    return Int(info.st_size)
  }
}
