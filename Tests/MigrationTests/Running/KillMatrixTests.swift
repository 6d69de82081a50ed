import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

/// Every step of expansion and constraints, struck right before and right after its commit, once at its session and once at the
/// whole server. Whatever was struck, the same command then goes on to the end, and so does the way back.
///
/// The tool itself is killed in `CommandTests`.
@Suite("Steps that are struck", .serialized, .timeLimit(.minutes(10))) struct KillMatrixTests {
  enum Blow: String, CaseIterable, Sendable {
    case terminate
    case restart
  }

  enum Moment: String, CaseIterable, Sendable {
    case before
    case after
  }

  static let expand = ["expand.schema", "expand.map", "expand.states", "expand.column", "expand.bridge"]
  static let constrain = ["backfill.index", "backfill.foreign-key", "backfill.validate"]
  static let whole = ["map", "column", "index true", "key true", "trigger", "trigger"]

  private static let cluster = Result {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    return try Cluster.running(configuration)
  }

  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  @Test("and then it goes on, and goes back", arguments: Moment.allCases, Blow.allCases)
  func matrix(_ moment: Moment, _ blow: Blow) throws {
    var ledger = try LedgerDatabase("kill_\(moment)_\(blow)", on: try Self.cluster.get())
    ledger.definition.migrate.bridge = .trigger
    try ledger.run("INSERT INTO public.transactions SELECT i, 'AUTH' FROM generate_series(1, 1000) AS i")
    for id in Self.expand + Self.constrain {
      for goesOn in [true, false] {
        let note = "\(moment) the commit of \(id), \(blow), then \(goesOn ? "on" : "back")"
        let struck = try strike(ledger, id, moment, blow)
        #expect(struck != nil, "\(note): nothing was struck")
        if goesOn {
          try all(ledger)
          #expect(try ledger.standing() == Self.whole, "\(note)")
          let account = try ledger.account()
          #expect(account.allSatisfy { $0.hasSuffix(" done") }, "\(note): \(account)")
        }
        try ledger.rollback(interrupt)
        #expect(try ledger.standing() == [], "\(note)")
        try expectSound(ledger, note)
        if !goesOn {
          try all(ledger)
          #expect(try ledger.standing() == Self.whole, "\(note), and forward again")
          try ledger.rollback(interrupt)
        }
        try ledger.run("DROP SCHEMA crossfade CASCADE")
      }
    }
  }

  /// Both commands, to the end.
  private func all(_ ledger: LedgerDatabase) throws {
    try ledger.expand(interrupt)
    try ledger.backfilled()
    try ledger.constrain(interrupt)
  }

  /// The error it led to.
  private func strike(
    _ ledger: LedgerDatabase, _ id: String, _ moment: Moment, _ blow: Blow
  ) throws -> MigrationError? {
    let isConstraint = Self.constrain.contains(id)
    if isConstraint {
      try ledger.expand(interrupt)
      try ledger.backfilled()
    }
    let command = isConstraint ? "constrain" : "expand"
    let hit: @Sendable (StepNews) -> Void = { news in
      switch news {
      case .commits(let step) where step.id == id && moment == .before: break
      case .ended(let outcome) where outcome.step.id == id && outcome.ending == .done && moment == .after:
        break
      default: return
      }
      switch blow {
      case .terminate:
        try? ledger.run(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            + "AND application_name = 'crossfade \(command) \(ledger.definition.slot)'")
      case .restart: try? ledger.cluster.restart(.immediate)
      }
    }
    do throws(MigrationError) {
      if isConstraint {
        try ledger.constrain(interrupt, report: hit)
      } else {
        try ledger.expand(interrupt, report: hit)
      }
    } catch {
      return error
    }
    return nil
  }

  private func expectSound(_ ledger: LedgerDatabase, _ note: String) throws {
    guard try ledger.column("SELECT to_regclass('crossfade.audit') IS NOT NULL") == ["t"] else { return }
    let trail = try AuditTrail(slot: ledger.definition.slot, connection: ledger.connect()).read()
    #expect(trail?.faults ?? [] == [], "\(note)")
    let account = try ledger.account()
    #expect(!account.contains { $0.hasSuffix(" running") }, "\(note): \(account)")
  }
}
