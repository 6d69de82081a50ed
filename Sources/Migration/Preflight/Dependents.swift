/// What in the database depends on the old column. It does not stand in the way of a new column beside it, but in that
/// of the old column's end: for `contract` this is the list of what is left to do.
struct Dependents: Equatable, Sendable {
  var found: [Dependent]
  /// Roles that may use the old column by a grant on the column alone, so that they cannot use the new one.
  var columnGrants: [ColumnGrant]
  /// Whether the list was cut.
  var isCut = false

  /// How many of each sort are asked for.
  static let limit = 100

  struct ColumnGrant: Equatable, Sendable {
    var role: String
    /// `SELECT`, `UPDATE`, ...
    var privilege: String
  }

  /// Those that keep the column from being dropped.
  var blocking: [Dependent] { found.filter { $0.tie == .blocks } }

  /// Those that would vanish with it, without a word.
  var vanishing: [Dependent] { found.filter { $0.tie == .vanishes } }

  /// Functions that perhaps use it: their text holds its name.
  var perhaps: [Dependent] { found.filter { $0.tie == .perhaps } }
}

/// One thing that depends on a column.
struct Dependent: Hashable, Sendable {
  /// What becomes of it, or of the column, when the column is dropped.
  enum Tie: Hashable, Sendable {
    /// The server refuses to drop the column while it is there.
    case blocks
    /// It is dropped too, without being asked.
    case vanishes
    /// The catalogs do not know it; its text holds the column's name.
    case perhaps
  }

  enum Kind: String, Hashable, Sendable, CaseIterable {
    case view, materializedView = "materialized view", rule, generatedColumn = "generated column"
    case defaultValue = "default", index, constraint, partitionKey = "partition key", statistics, policy
    case trigger, publication, function, other
  }

  var kind: Kind
  /// As the server names it: `view public.open_transactions`.
  var name: String
  var tie: Tie

  /// What to do about it before the old column goes.
  var remedy: String {
    switch kind {
    case .view, .materializedView: "define it anew over the new column and the map"
    case .rule: "define it anew, or drop it"
    case .generatedColumn: "drop it, or generate it from the new column"
    case .defaultValue:
      "an insert that leaves the old column out gets it: the new column needs its like by then"
    case .index: "make its like on the new column first, if a query needs it"
    case .constraint: "state it for the new column first; a foreign key to the map says most of it"
    case .partitionKey: "the table is partitioned by it: the old column cannot go"
    case .statistics: "make its like over the new column, if the planner needs it"
    case .policy: "define it anew over the new column: it says who may see which row"
    case .trigger: "define it anew over the new column"
    case .publication: "ALTER PUBLICATION ... SET TABLE without the column; tell its subscribers first"
    case .function: "look into it, and write it anew over the new column"
    case .other: "look at it before the old column goes"
    }
  }
}

extension Dependents {
  /// A line for all, or one for each manner in which they are tied to the column.
  func findings(_ column: String) -> [Finding] {
    let subject = "dependents"
    guard !found.isEmpty || !columnGrants.isEmpty else {
      return [
        .pass(
          subject,
          "nothing that the catalogs know of depends on \(column); what applications send, and SQL put together at "
            + "run time, no catalog knows")
      ]
    }
    var findings: [Finding] = []
    if !blocking.isEmpty {
      findings.append(
        .warn(
          subject,
          "\(Self.list(blocking)) depend\(blocking.count == 1 ? "s" : "") on \(column): nothing before `contract` minds, "
            + "but the column cannot be dropped until then", fix: Self.remedies(blocking)))
    }
    if !vanishing.isEmpty {
      findings.append(
        .warn(
          subject,
          "\(Self.list(vanishing)) go\(vanishing.count == 1 ? "es" : "") with \(column) when it is dropped",
          fix: Self.remedies(vanishing)))
    }
    if !perhaps.isEmpty {
      findings.append(
        .warn(
          subject,
          "\(Self.list(perhaps)) perhaps use\(perhaps.count == 1 ? "s" : "") \(column): the text holds its name; SQL put "
            + "together at run time no catalog knows", fix: Self.remedies(perhaps)))
    }
    if !columnGrants.isEmpty {
      let grants = columnGrants.map { "\($0.role) (\($0.privilege))" }.joined(separator: ", ")
      findings.append(
        .warn(
          subject,
          "\(grants) may use \(column) by a grant on this column alone: it does not hold for the new one",
          fix: "the same grants on the new column, before the cutover"))
    }
    return findings
  }

  private static func list(_ dependents: [Dependent]) -> String {
    let shown = dependents.prefix(8).map(\.name).joined(separator: ", ")
    return dependents.count > 8 ? "\(shown) and \(dependents.count - 8) more" : shown
  }

  private static func remedies(_ dependents: [Dependent]) -> String {
    var said: Set<String> = []
    return dependents.filter { said.insert($0.remedy).inserted }
      .map { "\($0.kind.rawValue): \($0.remedy)" }.joined(separator: " | ")
  }
}
