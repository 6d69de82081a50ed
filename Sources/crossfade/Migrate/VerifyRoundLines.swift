import Derivation
import Migration
import Operations
import Synchronization

/// Prints the rounds of `verify --watch`: a line each, and the wrong rows when they are others than before.
final class VerifyRoundLines: Sendable {
  private let derive: SlotDefinition.Derive
  private let json: Bool
  private let shown = Mutex<[Verification.Mismatch]>([])

  init(_ derive: SlotDefinition.Derive, json: Bool) {
    self.derive = derive
    self.json = json
  }

  func show(_ round: VerifyRound) {
    guard let standing = round.standing else { return }
    let out = LineSink(fileDescriptor: 1)
    if json {
      out.write(line: Self.json(round, standing).compact)
      return
    }
    out.write(
      line: "\(UTCInstant.now())  verified through \(standing.through): "
        + "\(HumanFormat.count(round.touched)) keys touched, looked at again; "
        + "\(HumanFormat.count(standing.undecided)) on their way, "
        + "\(HumanFormat.count(standing.mismatches)) wrong")
    let isNew = shown.withLock { shown in
      defer { shown = round.first }
      return shown != round.first
    }
    guard isNew, standing.mismatches > 0 else { return }
    out.write(line: VerificationReport.classes(round.counts))
    out.write(line: VerificationReport.rows(round.first, derive, of: standing.mismatches))
  }

  private static func json(_ round: VerifyRound, _ standing: VerifiedStanding) -> JSONValue {
    .object([
      ("at", .string("\(UTCInstant.now())")), ("since", .string("\(standing.since)")),
      ("through", .string("\(standing.through)")), ("rows", .integer(standing.rows)),
      ("touched", .integer(round.touched)), ("looked_at", .integer(round.rows)),
      ("suspects", .integer(standing.undecided)), ("mismatches", .integer(standing.mismatches)),
      ("by_class", VerificationReport.json(round.counts)), ("first", VerificationReport.json(round.first)),
    ])
  }
}
