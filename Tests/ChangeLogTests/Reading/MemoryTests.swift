import PGOutput
import Testing

@testable import ChangeLog

@Suite("What a reader holds", .serialized, .timeLimit(.minutes(1)))
struct MemoryTests {
  /// Pages of the process that are in memory, in bytes (`/proc/self/statm`, second field).
  private func resident() throws -> Int {
    let file = try LogFile(path: "/proc/self/statm", mode: .read)
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = try bytes.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }
    let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    return try #require(fields.dropFirst().first.flatMap { Int($0) }) * 4096
  }

  @Test("a transaction of 256 MiB is walked in the memory of its frames")
  func bounded() async throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    var records = LedgerRecords(after: .exampleStart)
    records.begin(xid: 7)
    records.describe(LedgerRecords.transactions)
    let text = String(repeating: "x", count: 64 << 10)
    for row in 0..<4096 {
      try records.insert(row, text)
      if row % 16 == 15 { try writer.append(records) }
    }
    _ = records.commit()
    try writer.append(records)
    let before = try resident()
    var (most, count) = (before, 0)
    for try await change in LogSource(directory: directory.path).changes(follow: false) {
      count += 1
      if change.ordinal % 256 == 0 { most = max(most, try resident()) }
    }
    #expect(count == 4096)
    #expect(most - before < 48 << 20)
  }
}
