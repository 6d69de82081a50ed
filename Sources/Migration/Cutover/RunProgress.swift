import Derivation
import DualWrite
public import PGOutput
import Postgres

/// How far `crossfade run` is, against the WAL. It may hold its lock and stand still: so `cutover --back`, which waits for
/// nobody, says what readers of the old column lack.
public struct RunProgress: Sendable, Equatable {
  /// The server's WAL when the look began.
  public var target: LSN
  /// Up to where everything is applied when it ended.
  public var applied: LSN
  /// Whether it had come further by the end of the look.
  public var hasMoved: Bool
  /// Seconds since the checkpoint moved; nil before the first.
  public var age: Double?

  /// Bytes of WAL that it is short of.
  public var behind: UInt64 { applied < target ? target.bytes(since: applied) : 0 }

  /// How long it is looked at where it is behind, in milliseconds.
  static let patience = 2_000

  /// A line for the operator, without its full stop.
  ///
  /// - Parameters:
  ///   - old: the column that is read again.
  ///   - new: the one that new writers write.
  public func sentence(old: String, new: String) -> String {
    guard behind > 0 else { return "`crossfade run` has applied all that was committed" }
    let place = "`crossfade run` is \(Sizes.text(behind)) behind (applied \(applied) of \(target))"
    guard !hasMoved else {
      return "\(place), and moving: until it has come there \(old) lacks the last writes of \(new) alone"
    }
    let since = age.map { ", its checkpoint \(QuietClock.text($0)) ago" } ?? ""
    return
      "\(place), and has not moved for \(Self.patience / 1_000) s\(since): \(old) lacks what was written to \(new) alone "
      + "since; `crossfade status SLOT` says what it waits for"
  }
}

extension Cutover {
  /// How far `run` is; where it is behind, that is watched for two seconds.
  public func progress() throws(MigrationError) -> RunProgress {
    try MigrationError.asking { () throws(PostgresError) in
      let purpose = "see how far the dual-write is"
      let connection = try SlotConnection(definition, command: "cutover").connect("progress", interrupt)
      let end = try connection.query("SELECT pg_current_wal_insert_lsn()", purpose: purpose)[0, 0]
      guard let target = end.flatMap({ LSN($0) }) else {
        throw .unexpected(purpose: purpose, what: "no WAL position")
      }
      let position = AppliedPosition(definition, on: connection)
      let first = try position.read(enough: target)
      var applied = first
      let deadline = Deadline.after(milliseconds: RunProgress.patience)
      while applied < target, !deadline.hasPassed {
        if interrupt.wait(milliseconds: 50) { throw .interrupted(purpose: purpose) }
        applied = try position.read(enough: target)
      }
      return RunProgress(
        target: target, applied: applied, hasMoved: applied > first,
        age: try ServerStanding.age(definition.slot, connection))
    }
  }
}
