import PGOutput
import Postgres

/// A look at chosen rows: those that the stream touched lately, or those that were drawn. Short, so nothing of it is kept.
struct KeyedPass {
  let session: VerifySession
  let options: VerifyOptions
  let interrupt: Interrupt
  private(set) var found = Verification()
  private var decided = ContinuousClock.now

  init(session: VerifySession, options: VerifyOptions, interrupt: Interrupt) {
    self.session = session
    self.options = options
    self.interrupt = interrupt
  }

  func progress(of expected: Int64?) -> VerifyProgress {
    VerifyProgress(
      rows: found.rows, expected: expected, suspects: session.suspects.count, mismatches: found.mismatches)
  }

  /// Takes in what a look saw.
  mutating func take(_ look: Look) throws(PostgresError) {
    if interrupt.isStopped { throw .interrupted(purpose: "verify") }
    found.rows += look.rows
    _ = session.suspects.note(look.wrong, at: look.position)
    note(try session.judge())
    guard session.suspects.count >= options.suspects else { return }
    try settle(downTo: options.suspects / 2)
    if session.suspects.count >= options.suspects {
      found.undecided += Int64(session.suspects.giveUp().count)
    }
  }

  /// Waits for the last suspects, and gives what was found.
  mutating func finish() throws(PostgresError) -> Verification {
    try settle(downTo: 0)
    found.undecided += Int64(session.suspects.giveUp().count)
    let applied = try session.appliedPosition(enough: LSN(rawValue: .max))
    found.witness = "\(applied.isValid ? applied : try session.table.position())"
    return found
  }

  mutating func note(_ sentence: String) { found.notes.append(sentence) }

  mutating func note(_ proof: SampleProof) { found.sample = proof }

  private mutating func note(_ judgement: SuspectBook.Judgement) {
    if !judgement.settled.isEmpty || !judgement.wrong.isEmpty { decided = .now }
    found.settled += Int64(judgement.settled.count)
    found.add(judgement.wrong)
  }

  private mutating func settle(downTo limit: Int) throws(PostgresError) {
    decided = .now
    while session.suspects.count > limit {
      guard let judgement = try session.await() else { return }
      note(judgement)
      if ContinuousClock.now - decided > options.wait { return }
      if !judgement.moved.isEmpty, interrupt.wait(milliseconds: 20) {
        throw .interrupted(purpose: "verify")
      }
    }
  }
}
