import Glibc
import SimulatedDisk
import Testing

@testable import Capture
@testable import ChangeLog

@Suite("A crash between log and spool") struct SpoolCrashTests {
  private let seed: UInt64 = {
    if let text = getenv("CROSSFADE_TEST_SEED"), let seed = UInt64(String(cString: text)) { return seed }
    var random = SystemRandomNumberGenerator()
    return random.next() % 1_000_000
  }()

  @Test("when the power fails at any moment, each transaction is prepared or in the log, once and whole")
  func powerFails() throws {
    let disk = try SimulatedDisk()
    try SpoolProcess(disk).perform(SpoolHappening.plan)
    var judge = SpoolJudge(SpoolHappening.plan, seed: seed)
    try judge.judge(disk, draws: 6)
    print("\(judge.states) states after \(disk.callCount) calls, seed \(seed)")
    #expect(judge.states > 100)
  }

  @Test(
    "when any call fails, the same holds from there on",
    arguments: [.death, .fails(EIO), .fails(ENOSPC), .fails(EINTR), .short] as [DiskFault])
  func callFails(_ fault: DiskFault) throws {
    var judge = SpoolJudge(SpoolHappening.plan, seed: seed)
    var call = 0
    while true {
      let disk = try SimulatedDisk()
      disk.fail(at: call, fault)
      do {
        try SpoolProcess(disk).perform(SpoolHappening.plan)
        if disk.callCount <= call { break }
        try judge.judge(disk, draws: 2, after: disk.momentOfFault)
      } catch {
        Issue.record("\(fault) at call \(call), \(disk.failedCall ?? "none"): \(error)")
      }
      call += 1
    }
    print("\(fault): \(call) calls, \(judge.states) states, seed \(seed)")
    #expect(call > 60)
  }
}
