import LocalCluster
import Postgres

/// One phase as it is measured.
struct MigrationPhase: Sendable {
  var name: String
  /// Whether `crossfade run` is up meanwhile.
  var needsRun = true
  /// Which column the application writes.
  var writes = WorkloadPlan.Column.status
  /// Seconds that it is looked at, at least.
  var window = MigrationBench.window
  /// Before the look.
  var prepare: @Sendable (MigrationScene) throws -> Void = { _ in }
  /// What is looked at.
  var body: @Sendable (MigrationScene) throws -> Void

  /// All phases that this crossfade has, in order.
  static func course(_ scene: MigrationScene) throws -> [MigrationPhase] {
    var course = [expand, capture, slowBackfill, backfill, constrain, slowVerify, verify]
    if try scene.knows("cutover") { course += cutover }
    if try scene.knows("contract") { course += contract }
    if try scene.knows("cutover") { course += [back("cutover --back at last"), forwardOnly] }
    return course + [rollback]
  }

  private static let expand = MigrationPhase(name: "expand", needsRun: false) { try $0.command(["expand"]) }

  private static let capture = MigrationPhase(name: "capture", needsRun: false, window: 10) { scene in
    try scene.startRun()
    let connection = try scene.connect()
    let begun = "SELECT EXISTS (SELECT FROM crossfade.checkpoint WHERE slot = '\(MigrationScene.slot)')"
    guard try eventually(within: .seconds(60), { try connection.query(begun, purpose: "ask").boolean(0, 0) })
    else { throw BenchError("crossfade run did not begin; see \(scene.directory)/run.out") }
  }

  /// A tenth of the time at work, as an operator would have it in the day.
  private static let slowBackfill = MigrationPhase(
    name: "backfill at pace 0.1", window: 10,
    prepare: {
      try $0.catchUp()
      try $0.command(["backfill", "set", "pace=0.1"])
    },
    body: { try $0.backfillFor(seconds: 10) })

  private static let backfill = MigrationPhase(
    name: "backfill",
    prepare: {
      try $0.catchUp()
      try $0.command(["backfill", "set", "pace=1"])
    },
    body: { try $0.command(["backfill"]) })

  private static let constrain = MigrationPhase(name: "constrain", prepare: { try $0.catchUp() }) {
    try $0.command(["constrain"])
  }

  private static let slowVerify = MigrationPhase(
    name: "verify at pace 0.1", prepare: { try $0.catchUp() }
  ) {
    try $0.command(["verify", "--pace", "0.1"])
  }

  private static let verify = MigrationPhase(name: "verify", prepare: { try $0.catchUp() }) {
    try $0.command(["verify", "--restart"])
  }

  private static let cutover = [
    turn, MigrationPhase(name: "cut over", window: 10, prepare: { try $0.catchUp() }) { _ in },
    back("cutover --back"), again,
  ]

  private static let turn = MigrationPhase(name: "cutover", prepare: { try $0.catchUp() }) {
    try $0.command(["cutover", "--confirm", MigrationScene.column])
  }

  private static var again: MigrationPhase {
    var phase = turn
    phase.name = "cutover again"
    return phase
  }

  private static func back(_ name: String) -> MigrationPhase {
    MigrationPhase(name: name, prepare: { try $0.catchUp() }) { try $0.command(["cutover", "--back"]) }
  }

  /// The end of both ways, once nobody writes the new column alone.
  private static let forwardOnly = MigrationPhase(
    name: "forward only",
    prepare: {
      $0.look(seconds: Double(MigrationScene.quiet_s) + 1)
      try $0.catchUp()
    }
  ) {
    try $0.command([
      "cutover", "--back", "--forward-only", "--quiet", "\(MigrationScene.quiet_s)s", "--confirm",
      MigrationScene.oldColumn,
    ])
  }

  /// The application has been released: it knows the new column alone.
  private static let contract = [
    MigrationPhase(name: "new writers", writes: .state, window: 10, prepare: { try $0.catchUp() }) { _ in },
    MigrationPhase(
      name: "contract", writes: .state,
      prepare: {
        $0.look(seconds: Double(MigrationScene.quiet_s) + 1)
        try $0.catchUp()
      }
    ) { try $0.command(["contract", "--confirm", MigrationScene.oldColumn]) },
    MigrationPhase(name: "rollback of contract", writes: .state, prepare: { try $0.catchUp() }) {
      try $0.command(["rollback", "--confirm", MigrationScene.oldColumn])
    },
  ]

  private static let rollback = MigrationPhase(name: "rollback", needsRun: false) {
    try $0.command(["rollback", "--yes-drop", MigrationScene.column])
  }
}
