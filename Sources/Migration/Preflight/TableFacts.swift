import Capture
import Derivation
import Postgres

/// What the catalogs say of the ledger's table.
struct TableFacts: Equatable, Sendable {
  var oid: Int64
  /// `pg_class.relkind`.
  var kind: String
  /// `pg_class.relpersistence`.
  var persistence: String
  /// `pg_class.relreplident`.
  var identity: String
  var owner: String
  /// Whether our role is the owner or a member of it.
  var isOwned: Bool
  /// Whether row security hides rows from us.
  var rowSecurity: Bool
  var indexes: [Index]
  var columns: [Column]
  /// Partitions without a replica identity of their own.
  var barePartitions: [String]
  /// What a publication has to send besides, or cannot.
  var generatedIdentity: GeneratedIdentity? = nil

  struct Index: Equatable, Sendable {
    var name: String
    var columns: [String]
    var isPrimary = false
    var isIdentity = false
    /// Unique at once, for all rows, by columns only, and valid.
    var isUnique = true
  }

  struct Column: Equatable, Sendable {
    var name: String
    var type: String
    var isNotNull = false
    var isGenerated = false
    var hasDefault = false
    /// Equal bytes and no others are equal under its collation.
    var isDeterministic = true
    /// Whether its text in the stream is another than in SQL.
    var streamed: StreamedText?
    var maySelect = true
    var mayUpdate = true
  }

  /// Whether an index keeps a value of this column from standing twice.
  func isUnique(_ column: Identifier) -> Bool {
    indexes.contains { $0.isUnique && $0.columns == [column.name] }
  }

  func column(_ name: Identifier) -> Column? { columns.first { $0.name.utf8.elementsEqual(name.name.utf8) } }

  /// The columns whose old values the stream carries; all of them where the identity is FULL.
  var identityColumns: [String] {
    switch identity {
    case "f": columns.map(\.name)
    case "n": []
    case "i": indexes.first { $0.isIdentity }?.columns ?? []
    default: indexes.first { $0.isPrimary }?.columns ?? []
    }
  }

  func findings(_ derive: SlotDefinition.Derive) -> [Finding] {
    [kindFinding(derive.table), security(derive.table), identityFinding(derive), unique(derive)]
  }

  private func kindFinding(_ table: QualifiedName) -> Finding {
    switch (kind, persistence) {
    case ("r", "p"): .pass("table", "\(table) is a permanent table")
    case ("p", "p"): .pass("table", "\(table) is a permanent partitioned table")
    case ("r", _), ("p", _):
      .fail(
        "table", "\(table) is not permanent: its changes are not in the WAL",
        fix: "ALTER TABLE \(table.quoted) SET LOGGED;  -- rewrites it under the strongest lock")
    default:
      .fail("table", "\(table) is not a table", fix: "name a table or partitioned table in derive.table")
    }
  }

  private func security(_ table: QualifiedName) -> Finding {
    rowSecurity
      ? .fail(
        "row security", "\(table) hides rows from this role: they would neither be derived nor verified",
        fix: "ALTER ROLE ... BYPASSRLS;  -- the role of source.connection")
      : .pass("row security", "hides nothing from this role")
  }

  private func identityFinding(_ derive: SlotDefinition.Derive) -> Finding {
    let subject = "replica identity"
    if let partition = barePartitions.first {
      return .fail(
        subject, "partition \(partition) has none: once published, the application's updates of it fail",
        fix: "ALTER TABLE \(partition) REPLICA IDENTITY FULL;  -- or give it a primary key")
    }
    if let generated = generatedIdentity, generated.isVirtual {
      return .fail(
        subject,
        "it is FULL, and \(generated.table) has virtual column \(generated.column), which cannot be published: once it is, "
          + "the application's updates fail",
        fix: "ALTER TABLE \(generated.table) REPLICA IDENTITY DEFAULT;  -- by its primary key, or USING INDEX"
      )
    }
    let held = identityColumns
    guard !held.isEmpty else {
      return .fail(
        subject, "\(derive.table) has none: once published, the application's updates and deletes fail",
        fix: "ALTER TABLE \(derive.table.quoted) ADD PRIMARY KEY (\(Self.list(derive.key)));  "
          + "-- or REPLICA IDENTITY FULL")
    }
    let missing = derive.key.filter { key in !held.contains { $0.utf8.elementsEqual(key.name.utf8) } }
    guard missing.isEmpty else {
      return .fail(
        subject, "it lacks key column \(Self.list(missing)): a delete would not say which row it was",
        fix: "ALTER TABLE \(derive.table.quoted) REPLICA IDENTITY FULL;  -- or key the slot by "
          + held.joined(separator: ", "))
    }
    return .pass(subject, identity == "f" ? "FULL" : "by \(held.joined(separator: ", "))")
  }

  private func unique(_ derive: SlotDefinition.Derive) -> Finding {
    let subject = "key"
    let key = derive.key.map(\.name).sorted()
    let absent = derive.key.filter { column($0) == nil }
    guard absent.isEmpty else {
      return .fail(
        subject, "\(derive.table) has no column \(Self.list(absent))",
        fix: "name its key in derive.key of the slot definition")
    }
    let nullable = derive.key.filter { column($0)?.isNotNull == false }
    let index = indexes.first { $0.isUnique && $0.columns.sorted() == key }
    guard let index, nullable.isEmpty else {
      return .fail(
        subject,
        index == nil
          ? "no unique index is on exactly (\(Self.list(derive.key)))"
          : "\(Self.list(nullable)) may be NULL",
        fix: index == nil
          ? "CREATE UNIQUE INDEX CONCURRENTLY ON \(derive.table.quoted) (\(Self.list(derive.key)));"
          : "ALTER TABLE \(derive.table.quoted) ALTER COLUMN \(Self.list(nullable)) SET NOT NULL;")
    }
    return .pass(
      subject, "(\(Self.list(derive.key))) by \(index.isPrimary ? "primary key" : "index") \(index.name)")
  }

  private static func list(_ names: [Identifier]) -> String {
    names.map(\.description).joined(separator: ", ")
  }
}
