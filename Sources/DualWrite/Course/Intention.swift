import PGOutput

/// A key as `KeyTable` has it: each column's text behind its length.
typealias KeyBytes = [UInt8]

/// What is to be written to one row, and to which version of it.
///
/// A version is the transaction that left it (`xmin`): one leaves a key one version at most. It may be written when it is known that
/// no change of somebody else lies between the change that is meant and this version. A pair of values proves nothing: our own
/// write can make a later change leave the very pair that an earlier one left.
struct Intention: Equatable, Sendable {
  enum Standing: Equatable, Sendable {
    /// The version is the one that the last change of the key left: it may be written.
    case ready
    /// It is being written.
    case inFlight
    /// Somebody holds the row.
    case held
    /// The row was seen in this version, by a look after which the WAL stood here. It may be written once the log is read
    /// up to here and brought no change of the key.
    case seen(at: LSN)
  }

  var way: Way
  var version: UInt32
  /// The end of the transaction that is meant: the checkpoint stays before it.
  let position: LSN
  /// Whether the last look found nothing to write under the key (`OpenRow.version` was nil).
  var isOutOfSight = false
  /// Tells this from what was intended for the key before.
  var serial: UInt64
  var standing = Standing.ready
}

/// An intention as it is sent to the server.
struct IntentionLine: Equatable, Sendable {
  var key: KeyBytes
  var way: Way
  var version: UInt32
  var position: LSN
  var serial: UInt64
}

/// What the look found of a line after the write, where that does not end it.
struct OpenRow: Equatable, Sendable {
  /// Which line.
  var line: Int
  /// The version of the row that was seen. Nil where the key has no row, or one that agrees in a version nobody knows of: the row
  /// that is meant may have moved to another key, and this may be another row.
  var version: UInt32?
  /// Whether the map knows what is to be written.
  var canBeWritten = true
}
