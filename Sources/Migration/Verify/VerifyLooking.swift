import Derivation
import DualWrite
import PGOutput
import Postgres

/// The ways to look, over one session.
struct VerifyLooking {
  let opened: OpenedVerification
  let options: VerifyOptions
  let interrupt: Interrupt

  private var session: VerifySession { opened.session }
  private var slot: String { opened.definition.slot }

  /// The pass over the whole table: the one that was left, or a new one.
  func pass(restart: Bool) throws(MigrationError) -> WholePass {
    if opened.store != nil { try lock() }
    return try MigrationError.asking { () throws(PostgresError) in
      if !restart, let store = opened.store, let state = try store.load(), isOpen(state) {
        var state = state
        state.found.resumed = state.found.rows
        return WholePass(
          state, open: try store.open(), session: session, store: store, options: options,
          interrupt: interrupt)
      }
      // Read before the bound: what is committed later is followed, whether the pass has seen it or not.
      let since = try session.appliedPosition(enough: .invalid)
      let state = PassState(
        fingerprint: opened.fingerprint, since: since, bound: try session.table.lastKey(),
        expected: try session.table.estimate())
      try opened.store?.begin(state)
      return WholePass(
        state, open: OpenRows(), session: session, store: opened.store, options: options, interrupt: interrupt
      )
    }
  }

  /// The whole table is right: the migration has come so far. Why that could not be written down; nil where it was, or where
  /// the migration is elsewhere.
  private func enterVerified() throws(MigrationError) -> String? {
    do throws(MigrationError) {
      try MigrationState.enter(.verified, slot: slot, from: .backfilled, on: session.connection)
      return nil
    } catch {
      guard case .postgres(let cause) = error, cause.sqlState == .insufficientPrivilege else { throw error }
      return "the phase of the migration is left as it was: this role may not write to crossfade.migration"
    }
  }

  /// Whether it was left before its end, and still is of what is verified now.
  private func isOpen(_ state: PassState) -> Bool {
    !state.finished && state.invalid == nil && state.fingerprint == opened.fingerprint
  }

  /// Goes on to the end of a pass.
  func finish(
    _ pass: inout WholePass, _ report: (VerifyProgress) -> Void
  ) throws(MigrationError) -> Verification {
    do throws(PostgresError) {
      report(pass.progress)
      while try pass.step(report) {
        if interrupt.isStopped { throw .interrupted(purpose: "verify") }
      }
      let derive = opened.definition.derive
      let fingerprint = try Fingerprint.of(
        derive, try MapTable.load(derive.map, on: session.connection), on: session.connection)
      let changed = "the map was changed while the rows were looked at"
      try pass.finish(
        quarantine: opened.quarantine, invalid: fingerprint == opened.fingerprint ? nil : changed, report)
    } catch {
      throw .postgres(error)
    }
    var result = told(pass.state.found)
    if let invalid = pass.state.invalid { result.map.append(invalid + ": verify again") }
    if result.isClean, opened.store != nil, let note = try enterVerified() { result.notes.append(note) }
    return result
  }

  /// The rows that transactions of the last so many seconds touched.
  func recent(
    seconds: Int, _ report: (VerifyProgress) -> Void
  ) throws(MigrationError) -> Verification {
    var pass = KeyedPass(session: session, options: options, interrupt: interrupt)
    do throws(DualWriteError) {
      let recent = try RecentChanges(
        opened.definition, map: opened.map, seconds: seconds, on: session.connection)
      if let note = recent.note { pass.note(note) }
      guard var keys = recent.keys else { return told(try finish(&pass)) }
      while let portion = try keys.next(most: 5000) {
        do throws(PostgresError) {
          if !portion.keys.isEmpty { try pass.take(session.table.rows(of: portion.keys)) }
        } catch {
          throw .postgres(error)
        }
        report(pass.progress(of: nil))
      }
      return told(try finish(&pass))
    } catch {
      throw MigrationError(error)
    }
  }

  private func finish(_ pass: inout KeyedPass) throws(DualWriteError) -> Verification {
    do { return try pass.finish() } catch { throw .postgres(error) }
  }

  /// Rows drawn uniformly.
  func sample(
    rows: Int, seed: UInt64, _ report: (VerifyProgress) -> Void
  ) throws(MigrationError) -> Verification {
    guard session.table.mayDraw else {
      throw .notReady(
        what: "a sample finds rows by their place in the table, which this role may not read",
        hint: "GRANT SELECT (xmin, ctid, tableoid) ON \(opened.definition.derive.table.quoted) to it")
    }
    do throws(PostgresError) {
      let (leaves, blockSize) = try session.table.leaves()
      var draw = SampleDraw(leaves: leaves, blockSize: blockSize, seed: seed)
      var pass = KeyedPass(session: session, options: options, interrupt: interrupt)
      pass.note(SampleProof(seed: seed, asked: Int64(rows)))
      // A table that is all but empty of rows: its places are drawn this often and no more.
      var left = 1000 * rows + 100_000
      while pass.found.rows < rows, left > 0, !draw.isEmpty {
        let count = min(left, max(100, min(20_000, (rows - Int(pass.found.rows)) * 3)))
        left -= count
        for (leaf, places) in draw.next(count).sorted(by: { $0.key < $1.key }) {
          try pass.take(session.table.rows(at: places, of: leaf))
        }
        report(pass.progress(of: Int64(rows)))
      }
      if pass.found.rows < rows, !draw.isEmpty {
        pass.note("the table has few rows for its size: fewer were found than asked for")
      }
      return told(try pass.finish())
    } catch {
      throw .postgres(error)
    }
  }

  /// A result with what the opening knows.
  func told(_ found: Verification) -> Verification {
    var found = found
    found.notes = opened.notes + found.notes
    found.map = opened.mapProblems
    if found.undecided > 0 {
      found.notes.append(
        "the stream did not pass the rows left undecided: see `crossfade status`, let `crossfade run` catch up, "
          + "and verify again")
    }
    return found
  }

  /// Takes the pass for this process. A session that was lost may hold it for a moment yet.
  func lock() throws(MigrationError) {
    let deadline = Deadline.after(milliseconds: 3000)
    while true {
      let holder = try MigrationError.asking { () throws(PostgresError) in
        try VerifyLock(slot: slot).take(on: session.connection)
      }
      guard let holder else { return }
      if deadline.hasPassed || interrupt.isStopped {
        throw .notReady(
          what: "the verification of slot \(slot) is already running in \(holder)",
          hint: "wait for it, or stop it; `--recent` and `--sample` may run beside it")
      }
      if interrupt.wait(milliseconds: 200) { throw .postgres(.interrupted(purpose: "verify")) }
    }
  }
}

extension MigrationError {
  /// What can go wrong in reading the log as the dual-write does.
  init(_ error: DualWriteError) {
    switch error {
    case .postgres(let cause): self = .postgres(cause)
    case .log(let cause): self = .log(cause)
    default:
      self = .notReady(
        what: error.description,
        hint: error.hint ?? "`crossfade log verify` tells whether the log is sound")
    }
  }
}
