import LocalCluster
import Postgres
import Testing

/// Every step from the cutover to the drop and back, struck right before and right after its commit, beside `crossfade run` and
/// writers with a mirror. By itself: it has a time limit of its own.
@Suite("Steps that are struck beside run", .serialized, .timeLimit(.minutes(15))) struct StruckTests {
  private static let hasColumnLists = ((try? PostgresInstallation.find())?.majorVersion ?? 0) >= 15
  private static let lists = hasColumnLists ? ["cutover.publication"] : []
  private static let cutover =
    lists + ["cutover.identity", "cutover.direction", "cutover.nullable", "cutover.reads"]
  private static let forwardOnly =
    [
      "cutover.reads", "cutover.nullable:check", "cutover.nullable:validate", "cutover.nullable",
      "cutover.direction", "cutover.identity",
    ] + lists
  private static let contract = [
    "contract.check", "contract.check-validate", "contract.not-null", "contract.check-drop", "contract.guard",
    "contract.direction", "contract.rename",
  ]
  private static let drop = ["contract.drop", "cutover.identity"]
  private static let fill = ["return.keeper", "return.fill"]
  private static let exchange = ["return.exchange", "contract.direction", "return.exchange back"]
  private static let rollback = ["contract.not-null"] + fill + exchange
  private static let dropped = ["contract.not-null", "cutover.identity", "contract.drop"] + fill + exchange

  private static let all = Set(CutoverTraffic.Kind.allCases)
  private static let early: Set<CutoverTraffic.Kind> = [.old, .mixed, .read]
  private static let late: Set<CutoverTraffic.Kind> = [.new, .read]

  /// Strikes a command at one step after the other; then it comes to its end.
  private func strike(
    _ scene: StruckScene, _ command: StruckScene.Command, _ steps: [String], _ blow: Blow
  ) throws {
    for strike in Strike.all(steps) {
      #expect(try scene.run(command, strike, blow), "\(command) was not struck \(strike)")
    }
    try scene.finish(command)
  }

  @Test("each command, struck at every step, goes on to its end", arguments: Blow.allCases)
  func on(_ blow: Blow) throws {
    let scene = try StruckScene("struck_on_\(blow)")
    try strike(scene, .cutover, Self.cutover, blow)
    scene.allow(Self.all)
    scene.some(CutoverTraffic.Kind.allCases)
    try scene.expectTruth("cut over", then: Self.late)
    #expect(try scene.standing() == "state_id status f both/both cut over")
    try StruckScene.done(scene.slot, ["verify", "--restart"])
    try strike(scene, .contract, Self.contract, blow)
    scene.some([.new])
    try scene.expectTruth("contracted", isRetired: true, then: Self.late)
    #expect(try scene.standing() == "state_id! status_retired f rest/rest contracted")
    try strike(scene, .rollback, Self.rollback, blow)
    scene.some([.new])
    try scene.expectTruth("back", then: Self.late)
    #expect(try scene.standing() == "state_id status f both/both cut over")
    try StruckScene.done(scene.slot, ["verify", "--restart"])
    try scene.finish(.contract)
    try strike(scene, .drop, Self.drop, blow)
    scene.some([.new])
    try scene.expectTruth("dropped", isRetired: true, then: Self.late)
    #expect(try scene.standing() == "state_id! d rest/rest contracted")
    try strike(scene, .rollback, Self.dropped, blow)
    scene.allow(Self.all)
    scene.some(CutoverTraffic.Kind.allCases)
    try scene.expectTruth("back after the drop", then: Self.early)
    #expect(try scene.standing() == "state_id status f both/both cut over")
    try end(scene, blow)
  }

  @Test("each command, struck at any step, can be taken back instead", arguments: Blow.allCases)
  func back(_ blow: Blow) throws {
    let scene = try StruckScene("struck_back_\(blow)")
    for strike in Strike.all(Self.cutover) {
      let note = "cutover \(strike)"
      #expect(try scene.run(.cutover, strike, blow), "\(note): nothing was struck")
      try scene.finish(.forwardOnly, note)
      #expect(try scene.standing() == "state_id status! d forward/forward verified", "\(note)")
      try scene.expectTruth(note, then: Self.early)
    }
    try scene.finish(.cutover)
    scene.allow(Self.late)
    for strike in Strike.all(Self.contract) {
      let note = "contract \(strike)"
      try StruckScene.done(scene.slot, ["verify", "--restart"])
      #expect(try scene.run(.contract, strike, blow), "\(note): nothing was struck")
      scene.some([.new], 5)
      try scene.finish(.rollback, note)
      #expect(try scene.standing() == "state_id status f both/both cut over", "\(note)")
      try scene.expectTruth(note, then: Self.late)
    }
    for strike in Strike.all(Self.drop) {
      let note = "drop \(strike)"
      try StruckScene.done(scene.slot, ["verify", "--restart"])
      try scene.finish(.contract, note)
      #expect(try scene.run(.drop, strike, blow), "\(note): nothing was struck")
      scene.some([.new], 5)
      try scene.finish(.rollback, note)
      #expect(try scene.standing() == "state_id status f both/both cut over", "\(note)")
      try scene.expectTruth(note, then: Self.late)
    }
    try StruckScene.done(scene.slot, ["audit", "--verify"])
  }

  @Test("each way back, struck at any step, can be crossed or ended; then the way forward is whole again")
  func forth() throws {
    let scene = try StruckScene("struck_forth")
    for strike in Strike.all(Self.forwardOnly) {
      let note = "forward-only \(strike)"
      try scene.finish(.cutover, note)
      #expect(try scene.run(.forwardOnly, strike, .terminate), "\(note): nothing was struck")
      try scene.finish(.cutover, note)
      #expect(try scene.standing() == "state_id status f both/both cut over", "\(note)")
      scene.allow(Self.late)
      scene.some([.new], 20)
      try scene.expectTruth(note, then: Self.early)
      try awaitQuiet(scene)
      try scene.finish(.forwardOnly, note)
      #expect(try scene.standing() == "state_id status! d forward/forward verified", "\(note)")
    }
    try scene.finish(.cutover)
    scene.allow(Self.late)
    // Before the trigger that keeps the old column a way back can be crossed; from there on it is to be ended first.
    for (steps, isDropped) in [(Self.rollback, false), (Self.dropped, true)] {
      for strike in Strike.all(steps) {
        let note = "rollback \(strike)\(isDropped ? ", after the drop" : "")"
        try StruckScene.done(scene.slot, ["verify", "--restart"])
        try scene.finish(.contract, note)
        if isDropped { try scene.finish(.drop, note) }
        #expect(try scene.run(.rollback, strike, .terminate), "\(note): nothing was struck")
        scene.some([.new], 5)
        do {
          _ = try scene.run(.contract)
          #expect(try scene.standing().hasPrefix("state_id! "), "\(note)")
        } catch {
          #expect("\(error)".hasPrefix("a rollback of the contract was begun"), "\(note): \(error)")
        }
        try scene.finish(.rollback, note)
        #expect(try scene.standing() == "state_id status f both/both cut over", "\(note)")
        try scene.expectTruth(note, then: Self.late)
      }
    }
    try StruckScene.done(scene.slot, ["audit", "--verify"])
  }

  @Test(
    "SIGKILL at every step, from the cutover to the drop and back: the same command goes on",
    arguments: StruckScene.Table.allCases)
  func killed(_ table: StruckScene.Table) throws {
    let scene = try StruckScene("struck_killed_\(table)", table)
    let (new, old) = ("public.transactions.state_id", "public.transactions.status")
    func kill(_ least: Int, _ words: String...) throws {
      #expect(try scene.killed(words) >= least, "\(words)")
      if words[0] != "cutover" { scene.some([.new], 5) }
    }
    try kill(4, "cutover", "--percent", "30", "--confirm", new)
    scene.allow(Self.all)
    scene.some(CutoverTraffic.Kind.allCases)
    try StruckScene.done(scene.slot, ["cutover", "--back"])
    scene.some(CutoverTraffic.Kind.allCases)
    try scene.expectTruth("back", then: Self.all)
    try StruckScene.done(scene.slot, ["cutover", "--confirm", new])
    scene.allow(Self.late)
    for isDropped in [false, true] {
      try StruckScene.done(scene.slot, ["verify", "--restart"])
      try kill(6, "contract", "--confirm", old)
      if isDropped { try kill(2, "contract", "--drop", "--confirm", "\(old)_retired") }
      try scene.expectTruth("contracted", isRetired: true, then: Self.late)
      try kill(6, "rollback", "--confirm", old)
      #expect(try scene.standing() == "state_id status f both/both cut over")
      #expect(try scene.type() == table.type)
      try scene.expectTruth("back", then: Self.late)
    }
    scene.allow(Self.all)
    scene.some(CutoverTraffic.Kind.allCases)
    try scene.expectTruth("all kinds again", then: Self.early)
    try awaitQuiet(scene)
    try kill(6, "cutover", "--back", "--forward-only", "--quiet", "1s", "--confirm", old)
    #expect(try scene.standing() == "state_id status! d forward/forward verified")
    try scene.expectTruth("forward alone", then: Self.early)
    try StruckScene.done(scene.slot, ["audit", "--verify"])
  }

  @Test(
    "a cutover that was struck before the direction turned: `rollback` undoes what it had made, too",
    arguments: [StruckScene.Table.plain, .partitioned])
  func undone(_ table: StruckScene.Table) throws {
    let scene = try StruckScene("struck_undone_\(table)", table)
    #expect(try scene.run(.cutover, Strike(step: "cutover.identity", isAfter: true), .terminate))
    #expect(try scene.standing() == "state_id status! f forward/forward verified")
    #expect(scene.traffic.end() == [])
    try scene.slot.stop()
    try StruckScene.done(scene.slot, ["rollback", "--yes-drop", "public.transactions.state_id"])
    #expect(try scene.standing() == "status! d forward/forward planned")
    try StruckScene.done(scene.slot, ["audit", "--verify"])
  }

  /// To the old column alone, and what was made for the new one undone.
  private func end(_ scene: StruckScene, _ blow: Blow) throws {
    try awaitQuiet(scene)
    try strike(scene, .forwardOnly, Self.forwardOnly, blow)
    scene.some([.old, .mixed])
    try scene.expectTruth("forward alone", then: Self.early)
    #expect(try scene.standing() == "state_id status! d forward/forward verified")
    try StruckScene.done(scene.slot, ["audit", "--verify"])
  }

  /// Nobody has written the new column alone for a second, and all that was is counted.
  private func awaitQuiet(_ scene: StruckScene) throws {
    let isQuiet = try scene.slot.await(
      """
      SELECT coalesce(max(last_at) < now() - interval '1100 ms', true) FROM crossfade.legacy WHERE kind = 'new'
      """, within: .seconds(30))
    #expect(isQuiet)
  }
}
