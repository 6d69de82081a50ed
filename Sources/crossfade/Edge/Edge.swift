import ArgumentParser
import Glibc
import Operations

/// Runs a command's work; a failure is printed with its hint and becomes the exit code.
func atTheEdge(_ body: () async throws -> Void) async throws {
  do {
    try await body()
  } catch let failure as Failure {
    // What was asked for is no failure.
    if let signal = StopSignals.ending { throw ExitCode(128 + signal) }
    LineSink.standardError.write(line: failure.rendered())
    throw ExitCode(failure.exitCode)
  }
}
