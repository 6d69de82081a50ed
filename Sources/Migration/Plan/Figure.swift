/// A number, and how it came to be known. There is none without.
public struct Figure: Hashable, Sendable {
  /// The number: rows, bytes or seconds.
  public var amount: Double
  /// How it is known: measured, taken from statistics, assumed from a measurement elsewhere.
  public var evidence: String

  /// A number from its parts.
  public init(_ amount: Double, _ evidence: String) {
    self.amount = amount
    self.evidence = evidence
  }
}

/// What a step, or all of them, will cost.
public struct Estimate: Hashable, Sendable {
  /// Rows read or written.
  public var rows: Figure?
  /// Seconds it takes.
  public var seconds: Figure?
  /// Bytes of WAL it writes.
  public var wal: Figure?
  /// Bytes of disk it takes for good, or until vacuum has made them reusable.
  public var disk: Figure?

  /// A cost from its parts.
  public init(rows: Figure? = nil, seconds: Figure? = nil, wal: Figure? = nil, disk: Figure? = nil) {
    self.rows = rows
    self.seconds = seconds
    self.wal = wal
    self.disk = disk
  }

  /// Whether nothing is known, or nothing worth telling: a change of the catalogs alone.
  public var isEmpty: Bool { rows == nil && seconds == nil && wal == nil && disk == nil }
}
