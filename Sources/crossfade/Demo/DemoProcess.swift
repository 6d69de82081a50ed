import ArgumentParser
import Glibc
import LocalCluster
import Operations

/// A `crossfade` of our own making: this very program with other arguments, as an operator would start it.
///
/// It leads a process group of its own, so a Ctrl-C meant for the demonstration does not reach it, and dies with the
/// thread that started it.
struct DemoProcess {
  /// "crossfade run".
  let name: String
  private let child: ChildProcess
  private let logPath: String

  var pid: pid_t { child.pid }
  var status: ProcessStatus? { child.status }

  /// Starts it; what it says goes to `logPath`.
  init(_ arguments: [String], environment: [String: String], logPath: String) throws(Failure) {
    name = "crossfade \(arguments.first ?? "")"
    self.logPath = logPath
    do throws(ChildProcessError) {
      child = try ChildProcess(
        ChildProcess.bound([try Self.executable()] + arguments), environment: environment.mapValues { $0 },
        output: .file(logPath), errors: .file(logPath), newGroup: true)
    } catch {
      throw Failure(summary: "\(name) could not be started: \(error)", exitCode: ExitCode.unexpected.rawValue)
    }
  }

  /// As the kernel does it to whoever is out of memory: no handler runs, nothing is flushed.
  func killHard() {
    child.kill(SIGKILL)
    _ = child.wait(for: .seconds(10))
  }

  /// Asks for an orderly stop and waits for it.
  func stop(within limit: Duration = .seconds(60)) -> ProcessStatus? { child.stop(SIGTERM, grace: limit) }

  /// Throws when it has ended, with the last it said.
  func ensureRunning() throws(Failure) {
    if let status { throw ended(status) }
  }

  /// The failure of having ended like this.
  func ended(_ status: ProcessStatus) -> Failure {
    let said = TextFile.lastLines(of: logPath, count: 8)
    return Failure(
      summary: "\(name) (process \(pid)) ended with \(status)" + (said.isEmpty ? "" : "; it said:\n\(said)"),
      exitCode: ExitCode.unexpected.rawValue)
  }

  /// Runs one to its end and gives what it printed on standard output and error.
  static func run(_ arguments: [String], environment: [String: String]) throws(Failure) -> String {
    let name = "crossfade \(arguments.first ?? "")"
    let run: CapturedRun
    do throws(ChildProcessError) {
      run = try ChildProcess.run(
        ChildProcess.bound([try executable()] + arguments), environment: environment.mapValues { $0 },
        within: .seconds(300))
    } catch {
      throw Failure(summary: "\(name) could not be run: \(error)", exitCode: ExitCode.unexpected.rawValue)
    }
    guard run.status.isSuccess else {
      throw Failure(
        summary: "\(name) ended with \(run.status): \(run.trimmed)", exitCode: ExitCode.unexpected.rawValue)
    }
    return run.trimmed
  }

  /// This program's file. Where that has been replaced meanwhile (a new build), what runs is still there in `/proc`.
  private static func executable() throws(ChildProcessError) -> String {
    let image = "/proc/\(getpid())/exe"
    guard let path = realpath(image, nil) else { return image }
    defer { free(path) }
    return access(path, X_OK) == 0 ? String(cString: path) : image
  }
}
