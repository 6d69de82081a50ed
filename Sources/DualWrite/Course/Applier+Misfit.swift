import Derivation
import Postgres

/// The bridge never makes a writer fail: what it could not write it leaves, without a word. The server tells it again when asked.
extension Applier {
  /// Of rows that the bridge left out of step: whether the old text of their state can stand in the old column at all.
  mutating func lookForMisfits() throws(DualWriteError) {
    var known: [[UInt8]: ServerError?] = [:]
    for index in builder.batch.unknown.indices where builder.batch.unknown[index].refusal == .unbridged {
      guard let state = builder.batch.unknown[index].state, builder.batch.unknown[index].misfit == nil else {
        continue
      }
      let found: ServerError?
      if let before = known[state] {
        found = before
      } else {
        do { found = try session.misfit(of: state) } catch { throw .postgres(error) }
        known[state] = .some(found)
      }
      builder.batch.unknown[index].misfit = found
    }
  }
}

extension TargetSession {
  /// What the server says to a state's old text in the old column: too long, no label of the enum. Nil where it takes it, or where
  /// that cannot be known now.
  ///
  /// An assignment is planned and not carried out: its constant is brought to the column's type, length and all, by the planner.
  func misfit(of state: [UInt8]) throws(PostgresError) -> ServerError? {
    let (map, purpose) = (plan.derive.map, "look whether a status fits its column")
    do throws(PostgresError) {
      let text = try connection.query(
        "SELECT m.\(map.status.quoted)::text FROM \(map.table.quoted) AS m WHERE m.\(map.id.quoted)::text = $1",
        [.text(String(decoding: state, as: UTF8.self))], purpose: purpose)[0, 0]
      guard let text else { return nil }
      try connection.query(
        "EXPLAIN UPDATE \(plan.derive.table.quoted) SET \(plan.derive.from.quoted) = \(SQLText.literal(text)) WHERE false",
        purpose: purpose)
      return nil
    } catch {
      guard case .server(let cause) = error, !error.isConnectionGone else { throw error }
      return Poison.isOfRow(cause.sqlState) ? cause : nil
    }
  }
}
