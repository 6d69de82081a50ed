import Derivation
import LocalCluster
import Postgres
import Testing

@testable import Migration

/// Every step of a contract and of its way back, its sessions struck right before and right after the commit: then the same
/// command goes on, and the way back works. The tool itself is killed in `CommandTests`.
@Suite("A contract that is struck", .serialized, .timeLimit(.minutes(10))) struct ContractKillTests {
  enum Moment: String, CaseIterable, Sendable {
    case before
    case after
  }

  private let interrupt: Interrupt

  init() throws { interrupt = try #require(Interrupt()) }

  static let forward = [
    "contract.check", "contract.check-validate", "contract.not-null", "contract.check-drop", "contract.guard",
    "contract.direction", "contract.rename",
  ]
  static let back = [
    "contract.not-null", "return.keeper", "return.fill", "return.exchange", "contract.direction",
  ]

  private func strike(_ scene: ContractScene, _ command: String, _ id: String, _ moment: Moment)
    -> @Sendable (StepNews) -> Void
  {
    let ledger = scene.ledger
    let struck = Flag()
    return { news in
      switch news {
      case .commits(let step) where step.id == id && moment == .before: break
      // A page of it is committed.
      case .progress(let step, _) where step.id == id: break
      case .ended(let outcome) where outcome.step.id == id && outcome.ending == .done && moment == .after:
        break
      default: return
      }
      guard !struck.isUp else { return }
      struck.raise()
      try? ledger.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
          + "AND application_name LIKE 'crossfade \(command) \(ledger.definition.slot)%'")
    }
  }

  @Test("forward: it goes on, or goes back", arguments: Moment.allCases, ContractScene.bridges)
  func forward(_ moment: Moment, _ bridge: Bool) throws {
    let scene = try ContractScene("ckill_f_\(moment)_\(bridge)", interrupt, bridge: bridge)
    var ledgerScene = scene
    ledgerScene.ledger.definition.migrate.quiet = Milliseconds(0)
    for id in Self.forward where !(bridge && id == "contract.guard") {
      for goesOn in [true, false] {
        let note = "\(moment) \(id), then \(goesOn ? "on" : "back")"
        var error: MigrationError?
        do throws(MigrationError) {
          try ledgerScene.retire(report: strike(scene, "contract", id, moment))
        } catch let found {
          error = found
        }
        // After the last step there is only the phase to be entered.
        #expect(error != nil, "\(note): nothing was struck")
        if goesOn {
          try ledgerScene.retire()
          #expect(try scene.columns() == ["state_id NOT NULL", "status_retired"], "\(note)")
          #expect(try scene.phase() == "contracted", "\(note)")
          #expect(try scene.remains() == [], "\(note)")
          try scene.ledger.run("UPDATE public.transactions SET state_id = 3 - state_id WHERE id <= 10")
        }
        try scene.ledger.rollback(interrupt)
        try expectBack(scene, bridge, note)
      }
    }
  }

  @Test("back: it goes on", arguments: Moment.allCases)
  func back(_ moment: Moment) throws {
    var scene = try ContractScene("ckill_b_\(moment)", interrupt)
    scene.ledger.definition.migrate.quiet = Milliseconds(0)
    scene.ledger.definition.backfill.batch = 200
    for id in Self.back {
      let note = "\(moment) \(id)"
      try scene.retire()
      try scene.ledger.run("UPDATE public.transactions SET state_id = 3 - state_id")
      let error = #expect(throws: MigrationError.self, "\(note)") {
        try scene.ledger.rollback(interrupt, report: strike(scene, "rollback", id, moment))
      }
      #expect(error != nil, "\(note)")
      let again = try #require(Interrupt())
      if try scene.ledger.column(
        "SELECT count(*) FROM crossfade.step WHERE step LIKE 'return.%' AND state IN ('done', 'running', 'failed')"
      ) != ["0"] {
        let refused = #expect(throws: MigrationError.self, "\(note)") { try scene.retire() }
        #expect(
          refused?.description == "a rollback of the contract was begun, and is not at its end", "\(note)")
      }
      try scene.ledger.rollback(again)
      try expectBack(scene, false, note)
    }
  }

  @Test(
    "after the rename it goes on at once: who wrote the old way meets that, and no quiet is waited for",
    arguments: ContractScene.bridges)
  func quiet(_ bridge: Bool) throws {
    let scene = try ContractScene("ckill_quiet_\(bridge)", interrupt, bridge: bridge)
    #expect(throws: MigrationError.self) {
      try scene.retire(report: strike(scene, "contract", "contract.rename", .after))
    }
    #expect(try scene.phase() == "cut over")
    for kind in [LegacyAccount.Kind.old, .both] { try scene.count(kind, ago: "1 second") }
    #expect(try scene.retire() != nil)
    #expect(try scene.phase() == "contracted")
  }

  private func expectBack(_ scene: ContractScene, _ bridge: Bool, _ note: String) throws {
    #expect(try scene.columns() == ["state_id", "status"], "\(note)")
    #expect(try scene.phase() == "cut over", "\(note)")
    #expect(try scene.remains().count == (bridge ? 3 : 0), "\(note)")
    #expect(try scene.differences() == [], "\(note)")
    #expect(
      try scene.ledger.column("SELECT asked || ' ' || standing FROM crossfade.direction") == ["both both"],
      "\(note)")
    let account = try scene.ledger.column(
      "SELECT step || ' ' || state FROM crossfade.step WHERE state <> 'undone' AND (step LIKE 'contract%' OR step LIKE 'return%')"
    )
    #expect(!account.contains { !$0.hasSuffix(" pending") }, "\(note): \(account)")
    let trail = try AuditTrail(slot: scene.ledger.definition.slot, connection: scene.ledger.connect()).read()
    #expect(trail?.faults ?? [] == [], "\(note)")
  }
}
