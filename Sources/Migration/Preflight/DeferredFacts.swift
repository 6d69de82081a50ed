import Postgres

/// Constraints and constraint triggers of the table that are checked at the commit: work that our updates hand to it.
struct DeferredFacts: Equatable, Sendable {
  var constraints: [Constraint]

  struct Constraint: Equatable, Sendable {
    /// As the server names it: `constraint transactions_ref_key on table transactions`.
    var name: String
    /// `p`, `u`, `x`, `f` or `t`, as in `pg_constraint.contype`.
    var type: String
    /// Checked at the commit unless a transaction asks otherwise, not the other way round.
    var initially: Bool
  }

  var findings: [Finding] {
    let subject = "deferred checks"
    // Foreign keys look again only where their columns changed, and ours are not among them.
    let touched = constraints.filter { $0.type != "f" }
    guard !touched.isEmpty else { return [.pass(subject, "none waits for the commit of our updates")] }
    let names = touched.map { "\($0.name)\($0.initially ? "" : " (only where a transaction defers it)")" }
    return [
      .warn(
        subject,
        "\(names.joined(separator: ", ")): what our updates queue for it is checked at each commit, and a table with such "
          + "checks pending cannot be altered in the same transaction (error 55006)",
        fix:
          "nothing, where the check is cheap: each step that alters the table has a transaction of its own; otherwise "
          + "a constraint trigger WHEN (OLD.* IS DISTINCT FROM NEW.*) over the columns it is about")
    ]
  }
}

extension DeferredFacts {
  static func ask(_ oid: Int64, _ connection: Connection) throws(PostgresError) -> DeferredFacts {
    let rows = try connection.query(
      """
      SELECT pg_describe_object('pg_constraint'::regclass, c.oid, 0), c.contype, c.condeferred
        FROM pg_constraint c WHERE c.conrelid = $1::oid AND c.condeferrable
         AND (c.contype <> 't' OR EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = c.oid
              AND t.tgtype & 16 = 16 AND t.tgenabled IN ('O', 'A')))
       ORDER BY 1 LIMIT 20
      """, [.integer(oid)], purpose: "look up what is checked at the commit")
    return DeferredFacts(
      constraints: (0..<rows.rowCount).map { row in
        Constraint(name: rows[row, 0] ?? "", type: rows[row, 1] ?? "", initially: rows.boolean(row, 2))
      })
  }
}
