import Derivation
import Postgres

extension TargetSession {
  func prepareHeldRows(_ sql: DerivationSQL) throws(PostgresError) {
    guard !looksForHeldRows else { return }
    looksForHeldRows = true
    let purpose = "prepare the look for locked rows"
    let isOfKey = try connection.query(
      HeldSQL.isOfKey,
      [.text(plan.derive.table.quoted), .text(plan.derive.from.name), .text(plan.derive.to.name)],
      purpose: purpose)
    let held = HeldSQL(sql: sql, isOfKey: isOfKey.boolean(0, 0))
    try connection.prepare("free", held.free, purpose: purpose)
    try connection.prepare("differing", held.differing, purpose: purpose)
    try connection.prepare(
      "patience", "SELECT pg_catalog.set_config('lock_timeout', $1, true)", purpose: "prepare a longer wait")
    // A role to which columns are granted may not read what lock is in a row; then nobody is named.
    let mayAsk = try connection.query(
      HeldSQL.mayAskHolder, [.text(plan.derive.table.quoted)], purpose: purpose)
    namesHolders = mayAsk.boolean(0, 0)
    if namesHolders { try connection.prepare("holder", held.holder, purpose: purpose) }
  }

  /// Whose lock is in a row, where the server tells: the session's pid and its `application_name`.
  func holder(of key: KeyBytes) throws(PostgresError) -> String? {
    guard namesHolders else { return nil }
    let purpose = "look who keeps a row locked"
    try connection.startPipeline([PipelineStatement("holder", keyArrays([key]))], purpose: purpose)
    guard let found = try connection.finishPipeline(purpose: purpose).first, found.rowCount > 0 else {
      return nil
    }
    return found[0, 0].map { "pid \($0) (\(found[0, 1] ?? ""))" }
  }

  /// Writes one row and no other, so that nobody waits for us while we wait for it, as long as is said. The checkpoint stands.
  ///
  /// - Parameter line: what is intended, in the standing `both`; else the row is derived as it stands.
  func writeAlone(
    _ key: KeyBytes, _ line: IntentionLine?, waitingMilliseconds wait: Int
  ) throws(PostgresError) {
    let purpose = "write a row that is often locked"
    let write = line.map { writes([$0][...]) } ?? [PipelineStatement("apply", keyArrays([key]))]
    try connection.startPipeline(
      [mark.statement(end: "\(checkpoint.endLSN)"), PipelineStatement("patience", [.text("\(wait)ms")])]
        + write,
      purpose: purpose)
    _ = try connection.finishPipeline(purpose: purpose)
  }

  /// Which of the keys, by their place, belong to rows that differ and that somebody keeps locked.
  ///
  /// It waits for no row. A row that has just come or gone may be told wrongly: it is asked for again.
  func locked(_ keys: [KeyBytes]) throws(PostgresError) -> [Int] {
    let purpose = "look for locked rows"
    // The transaction takes row locks and so has a number: it says that it is ours, as all do.
    try connection.startPipeline(
      [mark.statement(end: "\(checkpoint.endLSN)"), PipelineStatement("free", keyArrays(keys))],
      purpose: purpose)
    let results = try connection.finishPipeline(purpose: purpose)
    guard results.count > 1 else { throw .unexpected(purpose: purpose, what: "too few results") }
    var isFree = [Bool](repeating: false, count: keys.count)
    for row in 0..<results[1].rowCount {
      guard let place = results[1].integer(row, 0), keys.indices.contains(Int(place) - 1) else { continue }
      isFree[Int(place) - 1] = true
    }
    let rest = keys.indices.filter { !isFree[$0] }
    guard !rest.isEmpty else { return [] }
    try connection.startPipeline(
      [PipelineStatement("differing", keyArrays(rest.map { keys[$0] }))], purpose: purpose)
    guard let differing = try connection.finishPipeline(purpose: purpose).first else {
      throw .unexpected(purpose: purpose, what: "too few results")
    }
    return (0..<differing.rowCount).compactMap { row in
      guard let place = differing.integer(row, 0), rest.indices.contains(Int(place) - 1) else { return nil }
      return rest[Int(place) - 1]
    }
  }
}
