import Foundation
import Migration
import Operations
import Postgres

/// What `check` found, as text and as JSON.
struct CheckReport {
  let slot: String
  let findings: [Finding]
  /// What the stream's options come to; empty when the server was not reached.
  let stream: [NegotiatedOption]

  var failures: Int { count(.fail) }

  private func count(_ level: Finding.Level) -> Int { findings.count { $0.level == level } }

  /// A line a finding; what to do about it on a line of its own, for copying.
  func text(on terminal: Terminal) -> String {
    let width = findings.map(\.subject.count).max() ?? 0
    var lines: [String] = []
    for finding in findings {
      let subject = finding.subject.padding(toLength: width, withPad: " ", startingAt: 0)
      lines.append("\(Self.mark(finding.level, terminal))  \(subject)  \(finding.found)")
      if let fix = finding.fix, !fix.isEmpty { lines.append("      fix: \(fix)") }
    }
    if !stream.isEmpty {
      var table = Table([.text("stream option"), .text("value"), .text("why")])
      for option in stream { table.append([option.option, option.value, option.reason]) }
      lines += ["", table.rendered(), ""]
    }
    lines.append("\(count(.pass)) passed, \(count(.warn)) warned, \(count(.fail)) failed")
    return lines.joined(separator: "\n")
  }

  var json: JSONValue {
    [
      "slot": .string(slot), "passed": .integer(Int64(count(.pass))), "warned": .integer(Int64(count(.warn))),
      "failed": .integer(Int64(count(.fail))),
      "findings": .array(
        findings.map { finding in
          [
            "level": .string(finding.level.rawValue), "subject": .string(finding.subject),
            "found": .string(finding.found), "fix": finding.fix.map { .string($0) } ?? .null,
          ]
        }),
      "stream": .array(
        stream.map { option in
          [
            "option": .string(option.option), "value": .string(option.value),
            "reason": .string(option.reason),
          ]
        }),
    ]
  }

  /// The level's word, coloured where somebody looks (ECMA-48 SGR).
  private static func mark(_ level: Finding.Level, _ terminal: Terminal) -> String {
    guard terminal.usesColor else { return level.rawValue }
    let color =
      switch level {
      case .pass: 32
      case .warn: 33
      case .fail: 31
      }
    return "\u{1B}[\(color)m\(level.rawValue)\u{1B}[0m"
  }
}

extension Terminal {
  /// What standard output shows on.
  static var standardOutput: Terminal {
    Terminal(fileDescriptor: STDOUT_FILENO, environment: ProcessInfo.processInfo.environment)
  }
}
