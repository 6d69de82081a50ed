import Glibc
import Postgres
import Testing

@testable import crossfade

@Suite("Signals that stop") struct StopSignalsTests {
  @Test("asked for twice, the first signal stops all, and only the second ends the process")
  func twice() async {
    await #expect(processExitsWith: .exitCode(7)) {
      guard let first = Interrupt(), let second = Interrupt() else { _exit(1) }
      for interrupt in [first, second, first] { StopSignals.install(interrupt) }
      kill(getpid(), SIGTERM)
      guard first.wait(milliseconds: 20_000), second.wait(milliseconds: 20_000) else { _exit(2) }
      // Whatever else the first signal sets off has time to end the process.
      usleep(300_000)
      _exit(7)
    }
    await #expect(processExitsWith: .exitCode(128 + SIGTERM)) {
      guard let interrupt = Interrupt() else { _exit(1) }
      StopSignals.install(interrupt)
      kill(getpid(), SIGTERM)
      guard interrupt.wait(milliseconds: 20_000) else { _exit(2) }
      kill(getpid(), SIGTERM)
      sleep(20)
      _exit(3)
    }
  }
}
