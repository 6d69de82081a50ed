import Derivation
import DualWrite
import PGOutput
import Postgres

/// What the gates of a cutover are judged by (`GateFacts+Judge`). A value: asked by `GateSurvey`, or made up.
struct GateFacts: Sendable {
  /// How far the stream is, against a position that was read when the look began.
  struct Lag: Sendable, Equatable {
    /// The server's WAL when the look began.
    var target: LSN
    /// Up to where everything is applied.
    var applied: LSN
    /// Milliseconds until it had come to the target; nil where it did not.
    var took: Int?
    /// Bytes between the two when the look began.
    var behind: UInt64
  }

  /// What is known of the verification.
  enum Verified: Sendable, Equatable {
    /// No pass has been made.
    case never
    /// What can be said as of the position, and up to where was followed.
    case told(VerifiedStanding.Verdict, through: LSN, age: Double?)
    /// It could not be brought up to the position.
    case failed(why: String, hint: String?)
  }

  /// Writes of the new column alone.
  struct LoneWrites: Sendable, Equatable {
    /// The last one's key; nil where that is not known.
    var key: String?
    /// Seconds since the last; nil when there was none.
    var age: Double?
  }

  /// An index or key that is wanted.
  enum Wanted: Sendable, Equatable {
    case notAskedFor
    case stands
    case missing
  }

  var definition: SlotDefinition
  var phase: Phase?
  var since: String?
  var direction: Direction
  /// Who holds the dual-write's lock; nil when nobody does.
  var runner: String?
  /// Who derives rows as they stand beside it: a backfill, a repair, a retry of the quarantine.
  var deriver: String?
  /// Who we are, and which of the two columns that role may not write.
  var role: String
  var unwritable: [Identifier]
  /// Whether it may read the versions of rows, to which both ways are written.
  var seesVersions = true
  var lag: Lag
  /// The longest that was waited, in milliseconds.
  var patience: Int
  var verified: Verified
  var quarantined: Int64
  var firstQuarantined: String?
  var quarantineCauses: [QuarantineCount] = []
  /// What is wrong with the map, in sentences.
  var mapFaults: [String]
  var mapRows: Int
  var coverage: CoverageFacts?
  /// Statuses in the table that the map does not know.
  var unmapped: [String]
  /// Whether the old column can hold what the map has for it; nil where it was not looked at.
  var texts: MapTextFacts?
  var index: Wanted
  var foreignKey: Wanted
  /// Indexes on the new column that are not valid, by name.
  var invalidIndexes: [String]
  var slot: ReplicationSlot?
  var loneWrites: LoneWrites
  var reach: ReachFacts
  /// States without an old text, where the old column is required but for the cutover: its way back waits for their rows.
  var textless: [String] = []
  /// Row filters of publications.
  var filters = FilterFacts.none
  /// The plan as it is now, and the last rehearsal of it that passed.
  var plan: String
  var rehearsal: RehearsalProof?

  /// How long no write of the new column alone may have been seen while only the old one counts, in seconds.
  static let loneWindow = 3_600
}
