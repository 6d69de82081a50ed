import Derivation
import Postgres

/// The application's triggers that an update of the new column alone would fire; and those of the old one alone.
struct TriggerFacts: Equatable, Sendable {
  var triggers: [Trigger]
  /// Those that fire from the cutover on, when the old column follows the new one.
  var later: [Trigger] = []

  struct Trigger: Equatable, Sendable {
    var name: String
    var table: String
    var function: String
    var hasCondition: Bool
  }

  var finding: Finding {
    guard !triggers.isEmpty || !later.isEmpty else { return .pass("triggers", "none fires on our updates") }
    var sentences: [String] = []
    if !triggers.isEmpty { sentences.append("each row we derive fires \(Self.names(triggers))") }
    if !later.isEmpty {
      sentences.append(
        "from the cutover on each row whose old column follows the new one fires \(Self.names(later))")
    }
    return .warn(
      "triggers", sentences.joined(separator: "; ") + ": it may set updated_at, write an audit or cost time",
      fix:
        "recreate each with WHEN (OLD.* IS DISTINCT FROM NEW.*) over the columns it is about, or as UPDATE OF them"
    )
  }

  private static func names(_ triggers: [Trigger]) -> String {
    triggers.map { trigger in
      "\(trigger.name) on \(trigger.table) (\(trigger.function)\(trigger.hasCondition ? ", with a WHEN condition" : ""))"
    }.joined(separator: ", ")
  }
}

extension TriggerFacts {
  /// Enabled for ordinary sessions, for each row or statement of an UPDATE, of these columns or of any.
  static func ask(
    _ oid: Int64, _ derive: SlotDefinition.Derive, _ connection: Connection
  ) throws(PostgresError) -> TriggerFacts {
    let rows = try connection.query(
      """
      SELECT t.tgname, t.tgrelid::regclass, p.proname, t.tgqual IS NOT NULL, f.ours
        FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
       CROSS JOIN LATERAL (
         SELECT t.tgattr = ''::int2vector OR bool_or(a.attname = $2) AS ours, bool_or(a.attname = $3) AS later
           FROM pg_attribute a
          WHERE a.attrelid = t.tgrelid AND a.attname IN ($2, $3) AND a.attnum = ANY (t.tgattr::int2[])) AS f
       WHERE t.tgrelid IN (SELECT $1::oid UNION SELECT relid::oid FROM pg_partition_tree($1::oid::regclass))
         AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 = 16
         AND (f.ours OR f.later)
       ORDER BY 1, 2 LIMIT 20
      """, [.integer(oid), .text(derive.to.name), .text(derive.from.name)], purpose: "look up the triggers")
    var facts = TriggerFacts(triggers: [])
    for row in 0..<rows.rowCount {
      let trigger = Trigger(
        name: rows[row, 0] ?? "", table: rows[row, 1] ?? "", function: rows[row, 2] ?? "",
        hasCondition: rows.boolean(row, 3))
      if rows.boolean(row, 4) { facts.triggers.append(trigger) } else { facts.later.append(trigger) }
    }
    return facts
  }
}
