import PGOutput

@testable import ChangeLog

/// A file of any content in a segment's place: nothing traps, and no reader gives what no checksum covers.
enum SegmentFuzz {
  /// The first byte says whether the checksums are mended first, the rest is the file.
  static func check(_ bytes: [UInt8]) throws(Finding) {
    guard let choice = bytes.first else { return }
    var file = Array(bytes.dropFirst())
    if choice & 1 == 1 { MendedChecksums.mend(&file) }
    let log = try ScratchLog()
    do throws(ChangeLogError) {
      try log.write(file, to: LogDirectory.name(ScratchLog.start) + LogDirectory.suffix)
    } catch { throw Finding("cannot write the file: \(error)") }
    defer { log.remove() }

    let covered = CoveredRecords(of: file)
    let report = result { () throws(ChangeLogError) in try LogVerifier.verify(directory: log.path) }
    let before = result { () throws(ChangeLogError) in try log.read() }
    _ = result { () throws(ChangeLogError) in try ChangeLogWriter.inspect(directory: log.path) }
    // From somewhere in the middle, with the index if there is one.
    _ = result { () throws(ChangeLogError) in try log.read(after: LSN(rawValue: 0x1000 + UInt64(choice) * 16))
    }
    if case .success(let read) = before {
      try require(covered.records.starts(with: read.bytes), "a reader gives what no checksum covers")
    }
    if case .success(let report) = report, report.problems.isEmpty {
      guard case .success(let read) = before else { throw Finding("verified, but \(before)") }
      try require(
        read.transactions == Int(report.counts.transactions) || report.unfinishedBytes > 0,
        "\(report.counts.transactions) transactions verified, \(read.transactions) read")
    }
    try open(log, covered, report)
  }

  private static func open(
    _ log: ScratchLog, _ covered: CoveredRecords, _ report: Result<LogVerifier.Report, ChangeLogError>
  ) throws(Finding) {
    guard let origin = covered.origin else {
      let opened = result { () throws(ChangeLogError) in try log.open() }
      guard case .failure = opened else { throw Finding("opened without a header") }
      return
    }
    let opened = result { () throws(ChangeLogError) in try log.open(origin: origin) }
    let read = result { () throws(ChangeLogError) in try log.read() }
    if case .success(let read) = read {
      try require(
        covered.records.starts(with: read.bytes), "after recovery a reader gives what no checksum covers")
    }
    guard case .success(let report) = report, report.problems.isEmpty else { return }
    guard case .success(let writer) = opened else { throw Finding("verified, but \(opened)") }
    try require(
      writer.recovery?.bytesCut ?? 0 == report.unfinishedBytes,
      "\(report.unfinishedBytes) bytes are unfinished, \(writer.recovery?.bytesCut ?? 0) were cut")
    guard case .success = read else { throw Finding("verified and opened, but \(read)") }
  }

  private static func result<Value>(_ body: () throws(ChangeLogError) -> Value) -> Result<
    Value, ChangeLogError
  > {
    do throws(ChangeLogError) { return .success(try body()) } catch { return .failure(error) }
  }
}
