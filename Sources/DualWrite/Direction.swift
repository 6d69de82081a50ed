public import PGOutput
public import Postgres

/// Which of the two columns is derived from which: what is asked, and what the dual-write does. A row of `crossfade.direction`.
///
/// Whoever turns it asks (`ask`), then waits until the dual-write has taken it up (`isTakenUp`): that happens in a commit that
/// moves the checkpoint, once all is applied that had been committed when it was asked. Without a dual-write nothing happens.
public struct Direction: Sendable, Equatable {
  /// What the dual-write does with a change.
  public enum Standing: String, Sendable, CaseIterable {
    /// The new column is derived from the old one, from the row as it stands. Where every slot begins.
    case forward
    /// Each change tells which column its writer meant, and the other follows. From the cutover on, also after `cutover --back`.
    case both
    /// Nothing is derived: the old column is retired. From the contract on.
    case rest
  }

  /// What is asked.
  public var asked = Standing.forward
  /// Since when, as the server writes it; nil where nobody ever asked.
  public var askedAt: String?
  /// What was committed up to here is applied the old way.
  public var askedLSN = LSN.invalid
  /// What the dual-write does; it survives its restart.
  public var standing = Standing.forward
  /// Since when it does that; nil where it never changed.
  public var since: String?
  /// Changes that committed after here are handled so.
  public var sinceLSN: LSN?

  /// The direction of a slot for which nobody ever asked.
  public init() {}

  /// Whether the dual-write does what is asked.
  public var isTakenUp: Bool { standing == asked }

  /// Why nothing may derive the new column from the row as it stands now; nil where it may. A value that a new writer has just put
  /// into the new column would be lost.
  public var refusalToDerive: String? {
    guard standing != .forward || asked != .forward else { return nil }
    return
      "the application writes the new column itself by now (direction \(isTakenUp ? standing.rawValue : asked.rawValue)): "
      + "deriving it from the old one would undo that"
  }

  /// What to do about it.
  public static let refusalHint =
    "`crossfade run` keeps the columns in step, change by change; rows that differ for good are for the application to write"

  /// The direction of a slot as it stands.
  public static func load(slot: String, on connection: Connection) throws(PostgresError) -> Direction {
    let purpose = "read which way slot \(slot) derives"
    let isThere = try connection.query(
      "SELECT to_regclass('crossfade.direction') IS NOT NULL", purpose: purpose)
    guard isThere.boolean(0, 0) else { return Direction() }
    let rows = try connection.query(
      "SELECT \(columns) FROM crossfade.direction WHERE slot = $1", [.text(slot)], purpose: purpose)
    return try Direction(rows, purpose) ?? Direction()
  }

  /// Asks the dual-write for a standing. Asking again for what is asked or done already changes nothing.
  public static func ask(
    _ standing: Standing, slot: String, on connection: Connection
  ) throws(PostgresError) -> Direction {
    let purpose = "ask slot \(slot) for the standing \(standing.rawValue)"
    try ControlSchema.ensure(on: connection)
    try connection.query(
      """
      INSERT INTO crossfade.direction AS d (slot, asked) VALUES ($1, $2)
      ON CONFLICT (slot) DO UPDATE
         SET asked = EXCLUDED.asked, asked_at = clock_timestamp(), asked_lsn = pg_current_wal_insert_lsn()
       WHERE d.asked <> EXCLUDED.asked
      """, [.text(slot), .text(standing.rawValue)], purpose: purpose)
    return try load(slot: slot, on: connection)
  }

  /// An SQL expression: what is asked of slot `$1`, and since which position, in one text; NULL where nothing ever was.
  static let asked =
    "(SELECT d.asked || ' ' || d.asked_lsn::text FROM crossfade.direction AS d WHERE d.slot = $1)"

  /// Takes in what that expression said.
  mutating func note(asked text: String?) {
    guard let text, let space = text.firstIndex(of: " "),
      let standing = Standing(rawValue: String(text[..<space])),
      let position = LSN(String(text[text.index(after: space)...]))
    else { return }
    asked = standing
    askedLSN = position
  }

  /// Takes up what is asked of slot `$1`, namely `$2` since position `$3`, if that is still so and the checkpoint has come to
  /// `$4` in this transaction.
  static let takeUp = """
    UPDATE crossfade.direction AS d SET standing = d.asked, since = clock_timestamp(), since_lsn = $4::pg_lsn
     WHERE d.slot = $1 AND d.asked = $2 AND d.asked_lsn = $3::pg_lsn
       AND EXISTS (SELECT FROM crossfade.checkpoint AS c WHERE c.slot = $1 AND c.end_lsn = $4::pg_lsn)
    """

  private static let columns =
    "asked, asked_at::text, asked_lsn::text, standing, since::text, since_lsn::text"

  /// The first row; nil when there is none.
  private init?(_ rows: QueryResult, _ purpose: String) throws(PostgresError) {
    guard rows.rowCount > 0 else { return nil }
    guard let asked = rows[0, 0].flatMap(Standing.init), let position = rows[0, 2].flatMap({ LSN($0) }),
      let standing = rows[0, 3].flatMap(Standing.init)
    else { throw .unexpected(purpose: purpose, what: "a direction that this program does not know") }
    self.asked = asked
    askedAt = rows[0, 1]
    askedLSN = position
    self.standing = standing
    since = rows[0, 4]
    sinceLSN = rows[0, 5].flatMap { LSN($0) }
  }
}
