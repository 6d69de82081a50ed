import Derivation
import Postgres

/// What a foreign key to the small map table would cost: each insert, and each change of the new column, locks one of its
/// few rows (FOR KEY SHARE), and several lockers of a row at once are kept as a MultiXact.
struct HotReferenceFacts: Equatable, Sendable {
  /// Rows of the map.
  var states: Int
  /// Sessions that have written in the transaction that they are in, at the time of asking.
  var writers: Int64
  var maxConnections: Int64
  /// How many MultiXacts old the oldest of this database is, and where autovacuum must act.
  var multixactAge: Int64
  var multixactLimit: Int64
  /// Whether other roles' sessions are shown to us.
  var seesAll: Bool

  func finding(_ derive: SlotDefinition.Derive) -> Finding {
    let subject = "hot reference"
    let found =
      "a foreign key makes each insert and each change of \(derive.to) lock one of the \(states) rows of "
      + "\(derive.map.table); writers that meet there make MultiXacts: "
      + "\(writers) sessions write now\(seesAll ? "" : " (of those shown to us)"), max_connections \(maxConnections), "
      + "the oldest MultiXact is \(Sizes.count(multixactAge)) old of \(Sizes.count(multixactLimit)) (autovacuum_multixact_freeze_max_age)"
    let fix =
      "set migrate.foreign_key: none and let `crossfade verify` watch the integrity, or keep the key and watch "
      + "mxid_age(datminmxid) and the wait events MultiXact*"
    // Half of the way to the forced vacuum, before the key is even there.
    if multixactAge > multixactLimit / 2 {
      return .warn(subject, "\(found): much is used up already", fix: fix)
    }
    return .warn(subject, found, fix: fix)
  }
}

extension HotReferenceFacts {
  static func ask(states: Int, _ connection: Connection) throws(PostgresError) -> HotReferenceFacts {
    let rows = try connection.query(
      """
      SELECT (SELECT count(*) FROM pg_stat_activity
               WHERE backend_xid IS NOT NULL AND datname = current_database() AND pid <> pg_backend_pid()),
             current_setting('max_connections'), mxid_age(d.datminmxid),
             current_setting('autovacuum_multixact_freeze_max_age'),
             pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
        FROM pg_database d WHERE d.datname = current_database()
      """, purpose: "look up the age of MultiXacts")
    return HotReferenceFacts(
      states: states, writers: rows.integer(0, 0) ?? 0, maxConnections: rows.integer(0, 1) ?? 0,
      multixactAge: rows.integer(0, 2) ?? 0, multixactLimit: rows.integer(0, 3) ?? 0,
      seesAll: rows.boolean(0, 4))
  }
}
