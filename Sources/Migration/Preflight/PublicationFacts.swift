import Capture
import Derivation
import Postgres

/// What the catalogs say of the publication.
struct PublicationFacts: Equatable, Sendable {
  /// Of insert, update, delete and truncate, those that it does not publish.
  var missingActions: [String]
  var viaRoot: Bool
  var holdsTable: Bool
  var hasRowFilter: Bool
  /// The columns it sends of the table; nil where the server tells none (before 15: all of them).
  var columns: [String]?
  /// Whether it sends stored generated columns (18).
  var sendsGenerated = false
}

/// Judges the publication, or tells how it will be made.
struct PublicationJudge: Equatable, Sendable {
  var name: Identifier
  /// Nil when there is none.
  var publication: PublicationFacts?
  var table: TableFacts
  var derive: SlotDefinition.Derive
  var role: RoleFacts
  /// Whether capture has begun before.
  var hasBegun: Bool
  /// Columns that events carry.
  var chosen: [Identifier] = []

  private static let subject = "publication"

  var finding: Finding {
    guard let publication else { return absent }
    let alter = "ALTER PUBLICATION \(name.quoted)"
    guard publication.missingActions.isEmpty else {
      return .fail(
        Self.subject, "\(name) does not publish \(publication.missingActions.joined(separator: ", "))",
        fix: "\(alter) SET (publish = 'insert, update, delete, truncate');")
    }
    guard table.kind != "p" || publication.viaRoot else {
      return .fail(
        Self.subject, "\(name) sends the changes of \(derive.table) under its partitions' names",
        fix: "\(alter) SET (publish_via_partition_root = true);")
    }
    guard publication.holdsTable else {
      return .fail(
        Self.subject, "\(derive.table) is not in \(name)",
        fix: "\(alter) ADD TABLE \(derive.table.quoted)\(columnList);")
    }
    guard !publication.hasRowFilter else {
      return .fail(
        Self.subject, "\(name) has a row filter: changes of rows outside it would be missed",
        fix: "\(alter) SET TABLE \(derive.table.quoted)\(columnList);  -- names every table it shall hold")
    }
    if let generated = table.generatedIdentity, !publication.sendsGenerated {
      return .fail(
        Self.subject,
        "\(name) does not send generated column \(generated.column) of \(generated.table), whose replica identity is FULL: "
          + "the application's updates and deletes fail",
        fix: "\(alter) SET (publish_generated_columns = stored);")
    }
    let missing = needed.filter { column in publication.columns?.contains(column) == false }
    guard missing.isEmpty else {
      return .fail(
        Self.subject, "\(name) does not send \(missing.joined(separator: ", "))",
        fix: "\(alter) SET TABLE \(derive.table.quoted)\(columnList);  -- names every table it shall hold")
    }
    return .pass(Self.subject, "\(name) sends \(derive.table) as the slot needs it")
  }

  /// The statement that makes it, as `crossfade run` does.
  var statement: String {
    "CREATE PUBLICATION \(name.quoted) FOR TABLE \(derive.table.quoted)\(columnList) "
      + "WITH (publish_via_partition_root = true"
      + (table.generatedIdentity == nil ? "" : ", publish_generated_columns = stored") + ");"
  }

  private var absent: Finding {
    if hasBegun {
      return .fail(
        Self.subject,
        "\(name) does not exist, though capture has begun: changes made meanwhile may not have been sent",
        fix: "\(statement)  -- then `crossfade reset SLOT --accept-gap`, `run` and `backfill`")
    }
    guard role.mayCreate, table.isOwned else {
      let lack =
        role.mayCreate ? "does not own \(derive.table)" : "may not create in database \(role.database)"
      return .fail(
        Self.subject, "\(name) does not exist, and \(role.role) \(lack)",
        fix: table.isOwned
          ? "GRANT CREATE ON DATABASE \(SQLText.identifier(role.database)) TO \(SQLText.identifier(role.role));"
          : "as \(table.owner): \(statement)")
    }
    return .pass(Self.subject, "\(name) does not exist yet; `crossfade run` makes it")
  }

  private var needed: [String] {
    derive.key.map(\.name) + [derive.from.name] + (table.column(derive.to) == nil ? [] : [derive.to.name])
      + chosen.map(\.name)
  }

  /// Only what the slot needs leaves the ledger, where the server can list columns (15) and the identity allows it.
  private var columnList: String {
    guard role.version.major >= 15, table.identity != "f" else { return "" }
    var listed = table.identityColumns
    let wanted = derive.key.map(\.name) + [derive.from.name, derive.to.name] + chosen.map(\.name)
    for column in wanted where !listed.contains(column) {
      listed.append(column)
    }
    return " (" + listed.map(SQLText.identifier).joined(separator: ", ") + ")"
  }
}

extension PublicationFacts {
  static func ask(
    _ name: Identifier, _ table: QualifiedName, _ connection: Connection
  ) throws(PostgresError) -> PublicationFacts? {
    let purpose = "look up publication \(name)"
    let actions = ["insert", "update", "delete", "truncate"]
    let rows = try connection.query(
      "SELECT \(actions.map { "pub\($0)" }.joined(separator: ", ")), pubviaroot, "
        + (connection.serverVersion.major >= 18 ? "pubgencols = 's'" : "false")
        + " FROM pg_publication WHERE pubname = $1",
      [.text(name.name)], purpose: purpose)
    guard rows.rowCount == 1 else { return nil }
    let tells = connection.serverVersion.major >= 15
    let tables = try connection.query(
      """
      SELECT \(tells ? "to_json(attnames::text[]), rowfilter IS NOT NULL" : "NULL, false") FROM pg_publication_tables
       WHERE pubname = $1 AND schemaname = $2 AND tablename = $3
      """, [.text(name.name), .text(table.schema.name), .text(table.name.name)], purpose: purpose)
    return PublicationFacts(
      missingActions: actions.indices.filter { !rows.boolean(0, $0) }.map { actions[$0] },
      viaRoot: rows.boolean(0, actions.count), holdsTable: tables.rowCount > 0,
      hasRowFilter: tables.boolean(0, 1), columns: tables[0, 0].flatMap(JSONStrings.parse),
      sendsGenerated: rows.boolean(0, actions.count + 1))
  }
}
