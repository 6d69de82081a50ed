import Foundation
import LocalCluster

/// A `crossfade` that was started, with what it prints in a file. Dropping the last reference kills it.
final class CrossfadeProcess: Sendable {
  private let child: ChildProcess
  private let orphanGuard: OrphanGuard
  /// Where its standard error goes.
  let outputPath: String

  init(
    _ command: String, slotFile: String, options: [String] = [], environment: [String: String?],
    outputPath: String
  ) throws {
    self.outputPath = outputPath
    child = try ChildProcess(
      [CrossfadeBinary.path(), command, slotFile] + options, environment: environment,
      output: .file(outputPath),
      errors: .file(outputPath))
    do {
      orphanGuard = try OrphanGuard(of: child.pid)
    } catch {
      child.stop(SIGKILL)
      throw error
    }
  }

  deinit {
    if child.isRunning { child.stop(SIGKILL) }
  }

  var pid: pid_t { child.pid }

  var isRunning: Bool { child.isRunning }

  /// SIGKILL, and the end of it.
  @discardableResult
  func kill() -> ProcessStatus? {
    child.kill(SIGKILL)
    return child.wait(for: .seconds(30))
  }

  /// SIGTERM, and how it ended; nil when it still runs after `limit`.
  func stop(within limit: Duration = .seconds(45)) -> ProcessStatus? {
    child.kill(SIGTERM)
    return child.wait(for: limit)
  }

  /// How it ended by itself; nil when it still runs after `limit`.
  func wait(within limit: Duration) -> ProcessStatus? { child.wait(for: limit) }

  /// All it has printed so far.
  var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }

  /// The last lines it has printed, for a failed expectation.
  var outputTail: String {
    output.split(separator: "\n").suffix(12).joined(separator: "\n")
  }
}
