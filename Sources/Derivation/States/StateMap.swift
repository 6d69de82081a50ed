/// The map from legacy statuses to states and back, as a value.
///
/// Making one never fails; `problems` says what is wrong with it. Statuses are compared byte for byte.
public struct StateMap: Hashable, Sendable {
  /// The rows in the order given.
  public let rows: [StateRow]
  private let byStatus: [ExactText?: Int]
  private let byID: [ExactText: Int]

  /// A map of rows as the map table holds them.
  public init(rows: [StateRow]) {
    self.rows = rows
    byStatus = Dictionary(rows.indices.map { (rows[$0].status, $0) }, uniquingKeysWith: { first, _ in first })
    byID = Dictionary(
      rows.indices.compactMap { index in rows[index].id.map { ($0, index) } },
      uniquingKeysWith: { first, _ in first })
  }

  /// A map of states as a slot definition lists them.
  public init(_ states: [State]) {
    self.init(rows: states.map(StateRow.init))
  }

  /// The state a status stands for; nil when the map does not know it. SQL NULL is a status like any other.
  public func state(for status: ExactText?) -> State? {
    byStatus[status].flatMap { state(at: $0) }
  }

  /// The state with an id.
  public func state(id: ExactText) -> State? {
    byID[id].flatMap { state(at: $0) }
  }

  /// Whether a status comes back as itself through its id.
  public func roundTrips(_ status: ExactText?) -> Bool {
    guard let there = state(for: status), let back = state(id: there.id) else { return false }
    return back.status == status
  }

  private func state(at index: Int) -> State? {
    let row = rows[index]
    guard let id = row.id, let code = row.code else { return nil }
    return State(id: id, code: code, status: row.status)
  }
}

extension StateMap {
  /// What is wrong with the map itself: NULLs and duplicates, in the order of the rows. A map without problems
  /// brings every one of its statuses back through its id.
  public var problems: [StateMapProblem] {
    var found: [StateMapProblem] = []
    for (index, row) in rows.enumerated() {
      if row.id == nil { found.append(.nullID(row: index, status: row.status)) }
      if row.code == nil { found.append(.nullCode(row: index, id: row.id)) }
    }
    for (id, indices) in repeats(\.id) {
      guard let id else { continue }
      found.append(.duplicateID(id, rows: indices, statuses: indices.map { rows[$0].status }))
    }
    for (code, indices) in repeats(\.code) {
      guard let code else { continue }
      found.append(.duplicateCode(code, rows: indices))
    }
    for (status, indices) in repeats(\.status) {
      found.append(.duplicateStatus(status, rows: indices, ids: indices.map { rows[$0].id }))
    }
    return found
  }

  /// The statuses that the map does not know, in byte order (NULL first), each with the mapped status that differs
  /// from it in case, outer spaces or normalization only.
  public func unmapped(among statuses: some Sequence<ExactText?>) -> [StateMapProblem] {
    let unknown = Set(statuses).filter { state(for: $0) == nil }
    return unknown.sorted { a, b in
      guard let a else { return b != nil }
      guard let b else { return false }
      return a < b
    }.map { status in
      let lookalike = status.flatMap { missing in rows.compactMap(\.status).first { looksLike($0, missing) } }
      return .unmapped(status, lookalike: lookalike)
    }
  }

  private func repeats(_ column: KeyPath<StateRow, ExactText?>) -> [(ExactText?, [Int])] {
    Dictionary(grouping: rows.indices) { rows[$0][keyPath: column] }
      .filter { $0.value.count > 1 }
      .sorted { ($0.value.first ?? 0) < ($1.value.first ?? 0) }
      .map { ($0.key, $0.value) }
  }

  private func looksLike(_ a: ExactText, _ b: ExactText) -> Bool {
    folded(a) == folded(b)
  }

  /// Lower case without white space; compared as Swift compares, by canonical equivalence.
  private func folded(_ text: ExactText) -> String {
    text.string.lowercased().filter { !$0.isWhitespace && $0 != "_" && $0 != "-" }
  }
}
