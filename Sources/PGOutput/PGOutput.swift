// PGOutput: what PostgreSQL's `pgoutput` plugin says, as values. Pure: no socket, no file, no Foundation.
//
// A message is decoded over the bytes it came in (`RawSpan`), nothing is copied: rows are views that cannot
// outlive their bytes. Reader and writer of a message are neighbours, fields stand in wire order, as in
// PostgreSQL's `src/backend/replication/logical/proto.c`, which is the source of every rule here.

/// The version of pgoutput's protocol that was asked for (`proto_version`).
public enum ProtocolVersion: Int, CaseIterable, Sendable, Comparable {
  /// PostgreSQL 10 and later: transactions whole, at commit.
  case v1 = 1
  /// PostgreSQL 14 and later: transactions in progress are streamed.
  case v2 = 2
  /// PostgreSQL 15 and later: two-phase commit.
  case v3 = 3
  /// PostgreSQL 16 and later: streamed for parallel apply.
  case v4 = 4

  /// Whether `a` is the older.
  public static func < (a: ProtocolVersion, b: ProtocolVersion) -> Bool { a.rawValue < b.rawValue }
}
