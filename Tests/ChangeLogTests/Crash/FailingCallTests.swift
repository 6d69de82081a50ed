import Glibc
import SimulatedDisk
import Testing

@testable import ChangeLog

@Suite("A call fails") struct FailingCallTests {
  private static let acts = PowerLossTests.shortActs

  /// Lets each call of a run fail, and judges what the run leaves from there on.
  private func failEach(
    _ fault: DiskFault, times: Int = 1, hesitating: Bool = false, draws: Int
  ) throws {
    let seed = SystemRandomNumberGenerator.seed
    var judge = LogJudge(seed: seed)
    var call = 0
    while true {
      let disk = try SimulatedDisk()
      for number in 0..<times { disk.fail(at: call + number, fault) }
      let process = LogProcess(disk)
      process.hesitates = hesitating
      do {
        try process.perform(Self.acts)
        process.close()
        if disk.callCount <= call { break }
        try judge.judge(disk, draws: draws, after: disk.momentOfFault)
      } catch {
        Issue.record("\(fault) at call \(call), \(disk.failedCall ?? "none"): \(error)")
      }
      call += 1
    }
    print("\(fault): \(call) calls, \(judge.states) states, seed \(seed)")
    #expect(call > 40)
  }

  @Test(
    "any: what goes on after it, in this process or the next, loses nothing that was confirmed when the power fails",
    arguments: [.death, .fails(EIO), .fails(ENOSPC), .fails(EINTR), .short] as [DiskFault])
  func any(_ fault: DiskFault) throws { try failEach(fault, draws: 2) }

  @Test("a disk that is full for some calls, with something else written before the call is made again")
  func hesitation() throws {
    for times in 1...2 { try failEach(.fails(ENOSPC), times: times, hesitating: true, draws: 0) }
  }
}
