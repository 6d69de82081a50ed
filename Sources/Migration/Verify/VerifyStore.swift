import Foundation
import PGOutput
import Postgres

/// Keeps a pass: counts, cursor and open rows in one commit.
struct VerifyStore {
  let slot: String
  let connection: Connection

  /// Begins anew: forgets what there was.
  func begin(_ state: PassState) throws(PostgresError) {
    let purpose = "begin the verification"
    try connection.transaction("BEGIN READ WRITE", purpose: purpose) { () throws(PostgresError) in
      for table in ["verification_row", "verification"] {
        try connection.query(
          "DELETE FROM crossfade.\(table) WHERE slot = $1", [.text(slot)], purpose: purpose)
      }
      try connection.query(
        """
        INSERT INTO crossfade.verification (slot, fingerprint, since, bound, expected, followed)
        VALUES ($1, $2, $3::pg_lsn,
          CASE WHEN $4::json IS NOT NULL THEN ARRAY(SELECT json_array_elements_text($4::json)) END, $5, $3::pg_lsn)
        """,
        [
          .text(slot), .text(state.fingerprint), .text("\(state.since)"),
          .optional(state.bound.map { JSONStrings.write($0) }), .integer(state.expected),
        ], purpose: purpose)
    }
  }

  /// Records how far it is, and which rows have become suspect, wrong, or neither.
  ///
  /// - Parameter event: told in the audit trail by the same commit, where there is one and the role may write to it.
  func save(_ state: PassState, _ open: OpenRows, telling event: AuditEvent? = nil) throws(PostgresError) {
    let purpose = "record the verification's progress"
    try connection.transaction("BEGIN READ WRITE", purpose: purpose) { () throws(PostgresError) in
      if !open.gone.isEmpty {
        try connection.query(
          """
          DELETE FROM crossfade.verification_row WHERE slot = $1
             AND key IN (SELECT value::jsonb FROM json_array_elements_text($2::json))
          """, [.text(slot), .text(JSONStrings.write(open.gone))], purpose: purpose)
      }
      let rows =
        open.suspects.values.map { OpenRow($0) }
        + open.undecided.map { OpenRow($0, OpenRow.undecided) }
        + open.wrong.map { OpenRow($0.mismatch, $0.version) }
      if !rows.isEmpty { try write(rows, purpose) }
      try update(state, purpose)
      guard let event else { return }
      // Evidence is to outlive a crash of the server; and a step that waits for its lock holds the account's row meanwhile.
      try connection.query(
        "SELECT set_config('synchronous_commit', 'on', true), set_config('lock_timeout', '30s', true)",
        purpose: purpose)
      try AuditTrail(slot: slot, connection: connection).appendWhereKept(event)
    }
  }

  private func write(_ rows: [OpenRow], _ purpose: String) throws(PostgresError) {
    guard let json = try? JSONEncoder().encode(rows) else { return }
    try connection.query(
      """
      INSERT INTO crossfade.verification_row AS v (slot, key, kind, version, seen, old_value, new_value)
      SELECT $1, r.key::jsonb, r.kind, r.version, r.seen::pg_lsn, r.old, r.new
        FROM json_to_recordset($2::json) AS r(key text, kind text, version text, seen text, old text, new text)
      ON CONFLICT (slot, key) DO UPDATE SET kind = EXCLUDED.kind, version = EXCLUDED.version,
        seen = EXCLUDED.seen, old_value = EXCLUDED.old_value, new_value = EXCLUDED.new_value
      """, [.text(slot), .text(String(decoding: json, as: UTF8.self))], purpose: purpose)
  }

  private func update(_ state: PassState, _ purpose: String) throws(PostgresError) {
    let found = state.found
    let counts = Dictionary(uniqueKeysWithValues: found.counts.map { ($0.key.rawValue, $0.value) })
    let first = found.first.map { OpenRow($0, "") }
    guard let counted = try? JSONEncoder().encode(counts), let shown = try? JSONEncoder().encode(first) else {
      throw .unexpected(purpose: purpose, what: "counts that cannot be written as JSON")
    }
    let updated = try connection.query(
      """
      UPDATE crossfade.verification
         SET last_key = CASE WHEN $2::json IS NOT NULL THEN ARRAY(SELECT json_array_elements_text($2::json)) END,
             rows = $3::bigint, settled = $4::bigint, undecided = $5::bigint, counts = $6::jsonb, first = $7::jsonb,
             witness = $8::pg_lsn, followed = $9::pg_lsn, invalid = $10, updated_at = clock_timestamp(),
             finished_at = CASE WHEN $11::boolean THEN coalesce(finished_at, clock_timestamp()) END
       WHERE slot = $1
      """,
      [
        .text(slot), .optional(state.lastKey.map { JSONStrings.write($0) }), .integer(found.rows),
        .integer(found.settled), .integer(found.undecided), .text(String(decoding: counted, as: UTF8.self)),
        .text(String(decoding: shown, as: UTF8.self)), .optional(found.witness), .text("\(state.followed)"),
        .optional(state.invalid), .text(state.finished ? "t" : "f"),
      ], purpose: purpose)
    guard updated.affectedRows == 1 else {
      throw .unexpected(
        purpose: purpose, what: "its row in crossfade.verification is gone: somebody has deleted it")
    }
  }
}

/// A row as JSON carries it to and from the tables.
struct OpenRow: Codable {
  /// The stream decides.
  static let suspect = "suspect"
  /// The stream stood still.
  static let undecided = "undecided"

  var key: String
  var kind: String
  var version: String
  var seen: String
  var old: String?
  var new: String?

  init(_ suspect: SuspectBook.Suspect, _ kind: String = OpenRow.suspect) {
    (key, self.kind, version) = (suspect.row.key, kind, suspect.row.version)
    seen = "\(suspect.seen)"
  }

  init(_ mismatch: Verification.Mismatch, _ version: String) {
    (key, kind, self.version) = (mismatch.key, mismatch.kind.rawValue, version)
    (old, new) = (mismatch.from, mismatch.to)
    seen = "\(mismatch.seen ?? .invalid)"
  }

  var mismatch: Verification.Mismatch? {
    Verification.Class(rawValue: kind).map { .init(kind: $0, key: key, from: old, to: new, seen: LSN(seen)) }
  }
}
