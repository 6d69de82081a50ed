import ArgumentParser
import ChangeLog
import Foundation
import Operations

/// `crossfade log verify`: whether the log is as it was written.
struct LogVerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks every checksum, the chain of segments and the order of positions.",
    discussion: "Exit code 0: sound. 1: damage was found, and is named by file, byte and position.")

  @OptionGroup var log: LogPlace
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    try await atTheEdge {
      let source = try log.load()
      var display = VerifyDisplay()
      let report = try reading { () throws(ChangeLogError) in
        try LogVerifier.verify(directory: source.directory) { done, total in display.show(done, of: total) }
      }
      display.finish()
      print(json ? Self.json(source, report).compact : Self.text(report))
      if !report.problems.isEmpty { throw ExitCode.differences }
    }
  }

  private static func text(_ report: LogVerifier.Report) -> String {
    var lines = report.problems.map { problem in
      "damage: \(problem.file) at byte \(problem.offset), after \(problem.position): \(problem.reason)"
    }
    let read =
      "\(HumanFormat.count(report.segments)) \(report.segments == 1 ? "segment" : "segments"), "
      + "\(HumanFormat.bytes(report.bytes)): \(HumanFormat.count(report.counts.transactions)) transactions, "
      + "\(HumanFormat.count(report.counts.changes)) changes, up to \(report.end)"
    lines.append(
      report.problems.isEmpty ? "sound: \(read)" : "damaged in \(report.problems.count) of \(read)")
    if report.unfinishedBytes > 0 {
      lines.append(
        "\(HumanFormat.count(report.unfinishedBytes)) bytes follow the last whole transaction: a writer is at work, "
          + "or was when it ended; the next `crossfade run` cuts them")
    }
    return lines.joined(separator: "\n")
  }

  private static func json(_ source: LogSource, _ report: LogVerifier.Report) -> JSONValue {
    [
      "directory": .string(source.directory), "sound": .bool(report.problems.isEmpty),
      "segments": .integer(Int64(report.segments)), "bytes": .unsigned(report.bytes),
      "transactions": .unsigned(report.counts.transactions), "changes": .unsigned(report.counts.changes),
      "end": .string("\(report.end)"), "unfinished_bytes": .unsigned(report.unfinishedBytes),
      "problems": .array(
        report.problems.map { problem in
          [
            "file": .string(problem.file), "byte": .unsigned(problem.offset),
            "after": .string("\(problem.position)"), "reason": .string(problem.reason),
          ]
        }),
    ]
  }
}

/// The progress of a verification on standard error; nothing of one that is done within a second.
private struct VerifyDisplay {
  private var pace = ProgressPace(
    terminal: Terminal(fileDescriptor: STDERR_FILENO, environment: ProcessInfo.processInfo.environment))
  private var rate = RateMeter()
  private let start = ContinuousClock.now
  private var last: Operations.Progress?

  mutating func show(_ done: UInt64, of total: UInt64) {
    let now = ContinuousClock.now - start
    guard now > .seconds(1) else { return }
    let mebibytes: UInt64 = 1 << 20
    rate.record(done / mebibytes, at: now)
    let progress = Operations.Progress(
      title: "verify", done: done / mebibytes, total: total / mebibytes, unit: "MiB", rate: rate.perSecond)
    last = progress
    LineSink.standardError.show(pace.update(progress, now: now))
  }

  mutating func finish() {
    if let last { LineSink.standardError.show(pace.finish(last)) }
  }
}
