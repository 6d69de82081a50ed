import Postgres

extension TargetSession {
  func prepareHeldRows(_ sql: DerivationSQL) throws(PostgresError) {
    guard !looksForHeldRows else { return }
    looksForHeldRows = true
    let held = HeldSQL(sql: sql)
    try connection.prepare("free", held.free, purpose: "prepare the look for locked rows")
    try connection.prepare(
      "patience", "SELECT pg_catalog.set_config('lock_timeout', $1, true)", purpose: "prepare a longer wait")
    try connection.prepare("differing", held.differing, purpose: "prepare the look for locked rows")
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

  /// Which of the keys, by their place, belong to rows that differ and that somebody keeps locked; and who, where the server tells.
  ///
  /// It waits for no row. A row that has just come or gone may be told wrongly: it is asked for again.
  func locked(_ keys: [KeyBytes]) throws(PostgresError) -> [(place: Int, holder: String?)] {
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
    var found: [Int: String?] = [:]
    for row in 0..<differing.rowCount {
      guard let place = differing.integer(row, 0), rest.indices.contains(Int(place) - 1) else { continue }
      let holder = differing[row, 1].map { "pid \($0) (\(differing[row, 2] ?? ""))" }
      found[rest[Int(place) - 1]] = .some(holder)
    }
    return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }
}
