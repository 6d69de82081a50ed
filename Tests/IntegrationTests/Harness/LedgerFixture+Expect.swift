import ChangeLog
import LocalCluster
import Postgres
import Testing

extension LedgerFixture {
  /// Judges rows, states and log. The traffic is over and the process has stopped.
  func expectExact(seed: UInt64, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let session = try connect()
    let report = try Oracle(.derived()).judge(session)
    #expect(report.findings == [], "seed \(seed)", sourceLocation: sourceLocation)
    #expect(report.unmapped == 0, sourceLocation: sourceLocation)
    let own = try command("verify")
    #expect(own.status == .exited(0), "\(own.output)", sourceLocation: sourceLocation)
    let verified = try LogVerifier.verify(directory: logDirectory)
    #expect(verified.problems == [], "seed \(seed)", sourceLocation: sourceLocation)
    #expect(verified.unfinishedBytes == 0, sourceLocation: sourceLocation)
    let comparison = try ExactlyOnce(
      log: LoggedHistory(directory: logDirectory), audit: AuditedHistory(session))
    #expect(comparison.findings == [], "seed \(seed)", sourceLocation: sourceLocation)
    #expect(comparison.transactions > 0, sourceLocation: sourceLocation)
    print("\(database): \(report); \(comparison)")
  }
}
