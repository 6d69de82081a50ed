import Glibc
public import Postgres

/// The audit trail of a slot: rows of `crossfade.audit`, each sealed with a hash over its content and the hash before.
///
/// - Rows are only ever added; each in the transaction of what it tells, where that is one.
/// - The last row's number and hash stand in `crossfade.migration` too: rows cut off at the end are missed.
/// - Whoever can write the tables can write a new chain; so `crossfade audit` prints the last hash, to be kept elsewhere.
public struct AuditTrail {
  let slot: String
  let connection: Connection

  /// The trail of a slot.
  public init(slot: String, connection: Connection) {
    self.slot = slot
    self.connection = connection
  }

  /// What is sealed, in the order of the columns; `a` is the row. Dates in one form, whatever the session's settings.
  static let hash = """
    pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(a.previous || E'\\n' || pg_catalog.json_build_array(\
    a.slot, a.seq, pg_catalog.to_char(a.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), a.session_role, \
    a.current_role_name, a.os_user, a.client, a.tool_version, a.step, a.event, a.statement, a.lock_wait_ms, \
    a.lsn::text, a.details::text)::text, 'UTF8')), 'hex')
    """

  /// The row of the migration is locked first: two who add at once stand in line.
  private static let insert = """
    WITH head AS MATERIALIZED (
      SELECT audit_seq + 1 AS seq, audit_hash AS previous FROM crossfade.migration WHERE slot = $1 FOR UPDATE),
    a AS MATERIALIZED (
      SELECT $1::text AS slot, seq, pg_catalog.clock_timestamp() AS at, session_user::text AS session_role,
             current_user::text AS current_role_name, $2::text AS os_user,
             coalesce(pg_catalog.host(pg_catalog.inet_client_addr()) || ':' || pg_catalog.inet_client_port(), 'local socket')
               || ', ' || pg_catalog.current_setting('application_name') AS client,
             $3::text AS tool_version, $4::text AS step, $5::text AS event, $6::text AS statement,
             $7::bigint AS lock_wait_ms, pg_catalog.pg_current_wal_insert_lsn() AS lsn, $8::jsonb AS details, previous
        FROM head),
    written AS (
      INSERT INTO crossfade.audit (slot, seq, at, session_role, current_role_name, os_user, client, tool_version, step,
                                   event, statement, lock_wait_ms, lsn, details, previous, hash)
      SELECT a.*, \(hash) FROM a RETURNING seq, hash)
    UPDATE crossfade.migration AS m SET audit_seq = w.seq, audit_hash = w.hash FROM written AS w WHERE m.slot = $1
    """

  /// Adds an event; part of the transaction it stands in. The slot must have its row in `crossfade.migration`.
  public func append(_ event: AuditEvent) throws(PostgresError) {
    let purpose = "write the audit trail"
    let result = try connection.query(
      Self.insert,
      [
        .text(slot), .text(Self.operatingSystemUser), .text(ToolVersion.current), .optional(event.step),
        .text(event.kind.rawValue),
        .optional(event.statements.isEmpty ? nil : event.statements.joined(separator: ";\n")),
        event.lockWait.map { .integer($0) } ?? .null, .text(event.details.json),
      ], purpose: purpose)
    guard result.affectedRows == 1 else {
      throw .unexpected(purpose: purpose, what: "slot \(slot) has no row in crossfade.migration")
    }
  }

  /// `user@host` of this process.
  private static let operatingSystemUser: String = {
    var name = [CChar](repeating: 0, count: 256)
    let isNamed = gethostname(&name, name.count - 1) == 0
    let host = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let user = getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } ?? "uid \(geteuid())"
    return "\(user)@\(isNamed ? host : "unknown")"
  }()
}
