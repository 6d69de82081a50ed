import Derivation
import PGOutput
import Postgres

extension TargetSession {
  func prepareCourse(_ sql: DerivationSQL) throws(PostgresError) {
    guard let from = try MapTable.bareType(plan.derive.from, of: plan.derive.table, on: connection),
      let to = try MapTable.bareType(plan.derive.to, of: plan.derive.table, on: connection)
    else { throw .unexpected(purpose: "prepare", what: "missing") }
    let course = CourseSQL(sql: sql, fromType: from, toType: to)
    for way in [Way.forward, .reverse] {
      try connection.prepare(way.statement, course.write(way), purpose: "prepare what writes both ways")
    }
    try connection.prepare("look", course.look, purpose: "prepare the look after it")
    try connection.prepare("unsent", QuarantineSQL.addUnsent(sql), purpose: "prepare the quarantine")
  }

  /// The old column's default, where it is a constant: who leaves the column out leaves that.
  func blank() throws(DualWriteError) -> [UInt8]? {
    do {
      return try MapTable.constantDefault(plan.derive.from, of: plan.derive.table, on: connection)
        .map { Array($0.utf8) }
    } catch {
      throw .postgres(error)
    }
  }

  /// What tells of an insert that it is a row which changed partition; nil where there are no partitions.
  func partitionKey() throws(DualWriteError) -> PartitionKey? {
    do {
      return try PartitionKey.find(plan.derive, on: connection)
    } catch {
      throw .postgres(error)
    }
  }

  /// The writes, the look with the checkpoint.
  func statements(_ course: CourseFlight, _ batch: Batch) -> [PipelineStatement] {
    let advance = advance(course, batch)
    guard course.derives else { return [PipelineStatement("pass", advance)] }
    let lines = course.lines[...]
    return writes(lines) + [
      PipelineStatement(
        "look",
        keys(lines) + [versions(lines), array(lines.map { $0.way == .forward ? "t" : "f" })]
          + [array(lines.map { "\($0.position)" })] + advance)
    ]
  }

  /// Writes some lines only; the checkpoint stands.
  func write(_ lines: ArraySlice<IntentionLine>) throws(PostgresError) {
    let purpose = "write a part of a batch"
    try connection.startPipeline(
      [mark.statement(end: "\(checkpoint.endLSN)")] + writes(lines), purpose: purpose)
    _ = try connection.finishPipeline(purpose: purpose)
  }

  /// A statement a way: each names the column alone that it writes, so that triggers `OF` the other do not fire.
  func writes(_ lines: ArraySlice<IntentionLine>) -> [PipelineStatement] {
    CourseFlight.ways(lines).map { way in
      let lines = lines.filter { $0.way == way }[...]
      return PipelineStatement(way.statement, keys(lines) + [versions(lines)])
    }
  }

  private func advance(_ course: CourseFlight, _ batch: Batch) -> [Parameter] {
    let stretches = batch.path.stretches
    return [
      .text(plan.slot), array(stretches.map { "\($0.end)" }), array(stretches.map { "\($0.transactions)" }),
      array(stretches.map { "\($0.changes)" }), .optional(course.earliestWaiting.map { "\($0)" }),
      xids(batch),
    ]
  }

  private func keys(_ lines: ArraySlice<IntentionLine>) -> [Parameter] { keyArrays(lines.map(\.key)) }

  /// An array for each key column.
  func keyArrays(_ keys: [KeyBytes]) -> [Parameter] {
    var arrays = (0..<keyColumns).map { _ in ArrayLiteral(capacity: keys.count * 16) }
    for key in keys {
      key.withUnsafeBytes { key in
        KeyTable.columns(of: key) { column, bytes in if column < keyColumns { arrays[column].append(bytes) } }
      }
    }
    return arrays.map { .terminatedText($0.finish()) }
  }

  private func versions(_ lines: ArraySlice<IntentionLine>) -> Parameter {
    array(lines.map { "\($0.version)" })
  }

  private func array(_ values: [String]) -> Parameter {
    var literal = ArrayLiteral(capacity: values.count * 12)
    for value in values { literal.append(Array(value.utf8)) }
    return .terminatedText(literal.finish())
  }
}

extension Way {
  /// The prepared statement that writes it.
  fileprivate var statement: String {
    switch self {
    case .forward: "write"
    case .reverse: "write back"
    }
  }
}
