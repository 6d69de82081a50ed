import DualWrite
import Postgres

/// What our role may do beside reading and writing the table.
struct RoleFacts: Equatable, Sendable {
  var role: String
  var database: String
  var mayReplicate: Bool
  /// CREATE on the database: for the control schema and the publication.
  var mayCreate: Bool
  /// Whether schema `crossfade` is there, and whether its name can be used and its tables made.
  var schema: Schema?
  /// The control tables that are there.
  var tables: [ControlTable]
  /// Whether replication origins can be used: granted (14), a superuser's or lent by functions (13).
  var mayUseOrigins: Bool
  var version: ServerVersion

  struct Schema: Equatable, Sendable {
    var usage: Bool
    var create: Bool
  }

  struct ControlTable: Equatable, Sendable {
    var name: String
    /// Of SELECT, INSERT, UPDATE and DELETE, those that are missing.
    var missing: [String]
  }

  static let controlTables = ["checkpoint", "quarantine", "direction", "legacy", "backfill"]

  var findings: [Finding] { [replication, control, mark] }

  private var name: String { SQLText.identifier(role) }

  private var replication: Finding {
    mayReplicate
      ? .pass("role", "\(role) has REPLICATION")
      : .fail(
        "role", "\(role) has not the REPLICATION attribute", fix: "ALTER ROLE \(name) REPLICATION;")
  }

  private var control: Finding {
    let subject = "control schema"
    guard let schema else {
      return mayCreate
        ? .pass(subject, "not there yet; \(role) may create it")
        : .fail(
          subject, "schema crossfade is not there, and \(role) may not create it",
          fix: "CREATE SCHEMA crossfade AUTHORIZATION \(name);")
    }
    guard schema.usage else {
      return .fail(
        subject, "\(role) may not use schema crossfade", fix: "GRANT USAGE ON SCHEMA crossfade TO \(name);")
    }
    let absent = Self.controlTables.filter { table in !tables.contains { $0.name == table } }
    guard absent.isEmpty || schema.create else {
      return .fail(
        subject, "\(absent.joined(separator: ", ")) missing from it, and \(role) may not create tables there",
        fix: "GRANT USAGE, CREATE ON SCHEMA crossfade TO \(name);")
    }
    let locked = tables.filter { !$0.missing.isEmpty }
    guard locked.isEmpty else {
      let grants = locked.map { table in
        "GRANT \(table.missing.joined(separator: ", ")) ON crossfade.\(table.name) TO \(name);"
      }
      return .fail(
        subject, "\(role) lacks privileges on \(locked.map(\.name).joined(separator: ", "))",
        fix: grants.joined(separator: " "))
    }
    return .pass(
      subject, absent.isEmpty ? "there, with its tables" : "there; the tables are made when needed")
  }

  private var mark: Finding {
    let subject = "mark of our writes"
    if mayUseOrigins { return .pass(subject, "a replication origin") }
    if version.major >= 14 {
      return .pass(subject, "a logical message in each transaction (replication origins are not granted)")
    }
    return .fail(
      subject,
      "before 14 there is no mark but a replication origin, and those are for superusers: nothing would tell our "
        + "writes from the application's",
      fix: "as a superuser: " + MarkRight.permission(to: name))
  }
}

extension RoleFacts {
  static func ask(_ connection: Connection) throws(PostgresError) -> RoleFacts {
    let purpose = "look up what the role may do"
    let origins =
      connection.serverVersion.major < 14
      ? "(r.rolsuper OR \(MarkRight.isLent))"
      : """
      (SELECT bool_and(has_function_privilege(p.oid, 'EXECUTE')) FROM pg_proc p
               WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proname IN ('pg_replication_origin_create',
                     'pg_replication_origin_oid', 'pg_replication_origin_session_setup',
                     'pg_replication_origin_xact_setup'))
      """
    let rows = try connection.query(
      """
      SELECT r.rolname, current_database(), r.rolreplication OR r.rolsuper,
             has_database_privilege(current_database(), 'CREATE'), n.oid IS NOT NULL,
             has_schema_privilege(n.oid, 'USAGE'), has_schema_privilege(n.oid, 'CREATE'),
             \(origins)
        FROM pg_roles r LEFT JOIN pg_namespace n ON n.nspname = 'crossfade' WHERE r.rolname = current_user
      """, purpose: purpose)
    let actions = ["SELECT", "INSERT", "UPDATE", "DELETE"]
    let granted = actions.map { "has_table_privilege(c.oid, '\($0)')" }.joined(separator: ", ")
    let found = try connection.query(
      """
      SELECT c.relname, \(granted) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = 'crossfade' AND c.relname = ANY (string_to_array($1, ',')) ORDER BY 1
      """, [.text(controlTables.joined(separator: ","))], purpose: purpose)
    return RoleFacts(
      role: rows[0, 0] ?? "the role", database: rows[0, 1] ?? connection.database,
      mayReplicate: rows.boolean(0, 2), mayCreate: rows.boolean(0, 3),
      schema: rows.boolean(0, 4) ? Schema(usage: rows.boolean(0, 5), create: rows.boolean(0, 6)) : nil,
      tables: (0..<found.rowCount).map { row in
        ControlTable(
          name: found[row, 0] ?? "",
          missing: actions.indices.filter { !found.boolean(row, $0 + 1) }.map { actions[$0] })
      },
      mayUseOrigins: rows.boolean(0, 7), version: connection.serverVersion)
  }
}
