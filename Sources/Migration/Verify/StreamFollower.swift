import ChangeLog
import Derivation
import DualWrite
import PGOutput
import Postgres

/// Keeps a finished pass true: looks again at what the stream touches, and at what is wrong or suspect.
struct StreamFollower {
  let opened: OpenedVerification
  let store: VerifyStore
  let interrupt: Interrupt
  private(set) var state: PassState
  /// Rows that are wrong, by key.
  private var wrong: [String: (mismatch: Verification.Mismatch, version: String)] = [:]
  private var rounds = 0

  private var session: VerifySession { opened.session }
  /// How many keys are looked up at once.
  private static let portion = 5000

  init(_ opened: OpenedVerification, store: VerifyStore, interrupt: Interrupt) throws(PostgresError) {
    self.opened = opened
    self.store = store
    self.interrupt = interrupt
    guard let state = try store.load() else {
      throw .unexpected(purpose: "verify", what: "the verification's progress is gone: somebody deleted it")
    }
    self.state = state
    let open = try store.open()
    for row in open.wrong { wrong[row.mismatch.key] = row }
    session.suspects = SuspectBook(open.undecided + open.suspects.values)
    var next = OpenRows()
    next.add(open.undecided)
    self.state.found.undecided = max(0, state.found.undecided - Int64(open.undecided.count))
    try store.save(self.state, next)
  }

  var standing: VerifiedStanding {
    VerifiedStanding(
      state, suspects: Int64(session.suspects.count),
      seen: (session.suspects.earliest, session.suspects.latest))
  }

  /// Looks again at what was touched since the last round.
  mutating func round() throws(MigrationError) -> VerifyRound {
    try expectSameMap()
    var round = VerifyRound()
    do throws(DualWriteError) {
      try follow(&round)
    } catch {
      if case .log(.pruned(_, let first)) = error {
        try invalidate("the change log begins at \(first), after what was looked at last, \(state.followed)")
      }
      // A log that lost its end is sent it again.
      if case .log(.aheadOfLog) = error { return told(round) }
      throw MigrationError(error)
    }
    try MigrationError.asking { () throws(PostgresError) in
      try judge()
      try lookAgain()
      try lookAtQuarantine()
    }
    rounds += 1
    return told(round)
  }

  private func told(_ round: VerifyRound) -> VerifyRound {
    var round = round
    round.standing = standing
    round.first = state.found.first
    round.counts = state.found.counts
    return round
  }

  private mutating func expectSameMap() throws(MigrationError) {
    let fingerprint = try MigrationError.asking { () throws(PostgresError) in
      try Fingerprint.of(
        opened.definition.derive, try MapTable.load(opened.definition.derive.map, on: session.connection),
        on: session.connection)
    }
    if fingerprint != state.fingerprint {
      try invalidate("the map, or the definition's derive section, is another than when the pass began")
    }
    if let reason = state.invalid { throw Self.invalid(reason) }
  }

  private mutating func invalidate(_ reason: String) throws(MigrationError) {
    state.invalid = reason
    try MigrationError.asking { () throws(PostgresError) in try store.save(state, OpenRows()) }
    throw Self.invalid(reason)
  }

  private static func invalid(_ reason: String) -> MigrationError {
    .notReady(
      what: "what was verified does not count any more: \(reason)",
      hint: "`crossfade verify --watch --restart` looks at the whole table anew")
  }

  private mutating func follow(_ round: inout VerifyRound) throws(DualWriteError) {
    let applied: LSN
    let forms: [TypeOID: BinaryForm]
    do throws(PostgresError) {
      applied = try session.appliedPosition(enough: LSN(rawValue: .max))
      guard applied > state.followed else { return }
      forms = try BinaryForms.find(opened.definition.derive, on: session.connection)
    } catch {
      throw .postgres(error)
    }
    var keys = try TouchedKeys(
      opened.definition.derive, map: opened.map, directory: opened.definition.log.directory,
      after: state.followed, through: applied, forms: forms)
    while let portion = try keys.next(most: Self.portion) {
      do throws(PostgresError) { try take(portion, &round) } catch { throw .postgres(error) }
    }
    guard keys.reached > state.followed else { return }
    var next = state
    next.followed = keys.reached
    do throws(PostgresError) { try save(next, OpenRows()) } catch { throw .postgres(error) }
  }

  private mutating func take(
    _ portion: TouchedKeys.Portion, _ round: inout VerifyRound
  ) throws(PostgresError) {
    if interrupt.isStopped { throw .interrupted(purpose: "verify") }
    var next = state
    var open = OpenRows()
    if !portion.keys.isEmpty {
      let look = try session.table.rows(of: portion.keys)
      round.touched += Int64(portion.keys.count)
      round.rows += look.rows
      open.add(session.suspects.note(look.wrong, at: look.position))
    }
    if let end = portion.end { next.followed = max(next.followed, end) }
    try save(next, open)
  }

  /// Judges what can be judged without waiting.
  private mutating func judge() throws(PostgresError) {
    while true {
      let judgement = try session.judge()
      guard !judgement.settled.isEmpty || !judgement.wrong.isEmpty else { return }
      var next = state
      var open = OpenRows()
      next.found.settled += Int64(judgement.settled.count)
      open.note(judgement, room: VerifyStore.keptRows - wrong.count)
      for (mismatch, version) in zip(judgement.wrong, judgement.versions) {
        // Known already: it was touched, and is wrong as before.
        if let known = wrong[mismatch.key] { next.found.counts[known.mismatch.kind, default: 1] -= 1 }
        next.found.counts[mismatch.kind, default: 0] += 1
        if wrong.count < VerifyStore.keptRows || wrong[mismatch.key] != nil {
          wrong[mismatch.key] = (mismatch, version)
        }
      }
      try save(next, open)
    }
  }

  /// Looks again at the rows that are wrong: what mends them may be our own write, which the log does not hold.
  private mutating func lookAgain() throws(PostgresError) {
    guard !wrong.isEmpty else { return }
    let again = try session.table.wrongRows(among: wrong.keys.sorted())
    var next = state
    var open = OpenRows()
    for (key, known) in wrong {
      let found = again.rows[key]
      if let found, found.row.version == known.version {
        guard found.kind != known.mismatch.kind else { continue }
        next.found.counts[known.mismatch.kind, default: 1] -= 1
        next.found.counts[found.kind, default: 0] += 1
        let mismatch = Verification.Mismatch(found, seen: known.mismatch.seen ?? again.position)
        wrong[key] = (mismatch, known.version)
        open.wrong.append((mismatch, known.version))
        continue
      }
      next.found.counts[known.mismatch.kind, default: 1] -= 1
      wrong[key] = nil
      if let found { open.add(session.suspects.note([found.row], at: again.position)) }
      if open.suspects[key] == nil { open.gone.append(key) }
    }
    try save(next, open)
  }

  /// A small quarantine is looked through in every tenth round; a large one in passes only.
  private mutating func lookAtQuarantine() throws(PostgresError) {
    guard let quarantine = opened.quarantine, rounds % 10 == 0,
      try Quarantine.count(slot: store.slot, on: session.connection) <= 10_000
    else { return }
    let (stale, count, _) = try quarantine.run()
    var next = state
    next.found.counts[.stale] = count > 0 ? count : nil
    self.stale = stale
    try save(next, OpenRows())
  }

  private var stale: [Verification.Mismatch] = []

  private mutating func save(_ next: PassState, _ open: OpenRows) throws(PostgresError) {
    var next = next
    next.found.counts = next.found.counts.filter { $0.value > 0 }
    let shown = wrong.values.map(\.mismatch).sorted {
      ($0.seen ?? .invalid, $0.key) < ($1.seen ?? .invalid, $1.key)
    }
    next.found.first = Array((shown.prefix(Verification.shown) + stale).prefix(Verification.shown))
    try store.save(next, open)
    state = next
  }
}

/// What a round of `verify --watch` did, and where it left the table.
public struct VerifyRound: Sendable, Equatable {
  /// Keys that transactions touched since the round before.
  public var touched: Int64 = 0
  /// Rows of them that there are, and that were looked at.
  public var rows: Int64 = 0
  /// Where verification stands.
  public var standing: VerifiedStanding?
  /// Rows that are wrong, by class.
  public var counts: [Verification.Class: Int64] = [:]
  /// The first ten of them.
  public var first: [Verification.Mismatch] = []
}
