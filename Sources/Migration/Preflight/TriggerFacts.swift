import Derivation
import Postgres

/// The application's triggers that an update of the new column alone would fire.
struct TriggerFacts: Equatable, Sendable {
  var triggers: [Trigger]

  struct Trigger: Equatable, Sendable {
    var name: String
    var table: String
    var function: String
    var hasCondition: Bool
  }

  var finding: Finding {
    guard !triggers.isEmpty else { return .pass("triggers", "none fires on our updates") }
    let names = triggers.map { trigger in
      "\(trigger.name) on \(trigger.table) (\(trigger.function)\(trigger.hasCondition ? ", with a WHEN condition" : ""))"
    }
    return .warn(
      "triggers",
      "each row we derive fires \(names.joined(separator: ", ")): it may set updated_at, write an audit or cost time",
      fix:
        "recreate each with WHEN (OLD.* IS DISTINCT FROM NEW.*) over the columns it is about, or as UPDATE OF them"
    )
  }
}

extension TriggerFacts {
  /// Enabled for ordinary sessions, for each row or statement of an UPDATE, of this column or of any.
  static func ask(
    _ oid: Int64, _ column: Identifier, _ connection: Connection
  ) throws(PostgresError) -> TriggerFacts {
    let rows = try connection.query(
      """
      SELECT t.tgname, t.tgrelid::regclass, p.proname, t.tgqual IS NOT NULL
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
       WHERE t.tgrelid IN (SELECT $1::oid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass))
         AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 = 16
         AND (t.tgattr = ''::int2vector OR EXISTS (SELECT FROM pg_attribute a
              WHERE a.attrelid = t.tgrelid AND a.attname = $2 AND a.attnum = ANY (t.tgattr::int2[])))
       ORDER BY 1, 2 LIMIT 20
      """, [.integer(oid), .text(column.name)], purpose: "look up the triggers")
    return TriggerFacts(
      triggers: (0..<rows.rowCount).map { row in
        Trigger(
          name: rows[row, 0] ?? "", table: rows[row, 1] ?? "", function: rows[row, 2] ?? "",
          hasCondition: rows.boolean(row, 3))
      })
  }
}
