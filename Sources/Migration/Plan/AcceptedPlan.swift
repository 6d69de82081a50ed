import Derivation
import Foundation
import Postgres

/// The plan that was accepted last, by `expand --plan HASH`, and what the table was like then: a row of the audit trail.
struct AcceptedPlan {
  var hash: String
  var at: String
  var sketch: TableSketch?

  /// Nil where none was, or this role may not know.
  static func load(slot: String, on connection: Connection) throws(PostgresError) -> AcceptedPlan? {
    let tables = try ReportTables.ask(connection)
    guard tables.isReadable("audit") else { return nil }
    let rows = try connection.query(
      """
      SELECT details::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"') FROM crossfade.audit
       WHERE slot = $1 AND event = $2 ORDER BY seq DESC LIMIT 1
      """, [.text(slot), .text(AuditEvent.Kind.accepted.rawValue)], purpose: "look for the accepted plan")
    guard let text = rows[0, 0],
      let details = try? JSONDecoder().decode(AuditEvent.Details.self, from: Data(text.utf8)),
      let hash = details.plan
    else { return nil }
    return AcceptedPlan(hash: hash, at: rows[0, 1] ?? "", sketch: details.sketch)
  }

  /// What has changed since, as a finding.
  func finding(_ now: TableSketch, hash: PlanHash) -> Finding {
    let head = "plan \(self.hash.prefix(PlanHash.shortest)) was accepted \(at)"
    var drift = sketch?.differences(to: now) ?? []
    if self.hash != hash.description {
      drift.insert("the steps are others now: this is plan \(hash.short)", at: 0)
    }
    guard !drift.isEmpty else { return .pass("drift", "\(head), and nothing has changed since") }
    return Finding(.warn, "drift", "\(head); since then: \(drift.joined(separator: "; "))")
  }
}
