import Derivation
import DualWrite
import Postgres

/// What the phases of a migration need of the role beside reading and writing the columns. What only a later phase needs is
/// a warning, and says which: whoever deploys the schema's part by other tools never lends it.
struct GrantFacts: Equatable, Sendable {
  var role: String
  /// The schemas of the table and of the map that are there, with those of our rights in them.
  var schemas: [Schema]
  /// The table's owner, where our role is none, nor a member of it.
  var owner: String?
  /// Whether that owner may make a publication in this database.
  var ownerMayCreate = true
  /// What the map table lacks that is there: INSERT, REFERENCES.
  var map: [String] = []
  /// Whether the map table is there.
  var hasMap = true
  /// Whether the publication is there.
  var hasPublication = true
  /// Whether functions can be made in schema `crossfade`; nil where that is not there.
  var mayCreateControl: Bool?
  var database: String

  struct Schema: Equatable, Sendable {
    var name: String
    var usage: Bool
    var create: Bool
  }

  func findings(_ definition: SlotDefinition) -> [Finding] {
    let found = needed(definition) + later(definition)
    return found.isEmpty ? [.pass("grants", "\(role) may do what each phase needs")] : found
  }

  /// What every command needs.
  private func needed(_ definition: SlotDefinition) -> [Finding] {
    var found: [Finding] = schemas.filter { !$0.usage }.map {
      .fail(
        "grants", "\(role) may not use schema \($0.name): nothing in it can be read",
        fix: "GRANT USAGE ON SCHEMA \(SQLText.identifier($0.name)) TO \(to);")
    }
    if let owner, !hasPublication, !ownerMayCreate {
      found.append(
        .fail(
          "grants",
          "\(owner), who is to make publication \(definition.publication), may not create in database \(database)",
          fix: "GRANT CREATE ON DATABASE \(SQLText.identifier(database)) TO \(SQLText.identifier(owner));"))
    }
    return found
  }

  private func later(_ definition: SlotDefinition) -> [Finding] {
    let derive = definition.derive
    var found: [Finding] = []
    if let owner {
      found.append(
        .warn(
          "grants",
          "\(derive.table) belongs to \(owner): `expand`, `constrain`, `cutover` and `contract` change it, which is the "
            + "owner's to do",
          fix: "GRANT \(SQLText.identifier(owner)) TO \(to);  -- or run those as \(owner)"))
    }
    let (tables, maps) = (derive.table.schema.name, derive.map.table.schema.name)
    for schema in schemas where schema.usage && !schema.create {
      let needs = [
        schema.name == maps && !hasMap ? "`expand` makes \(derive.map.table)" : nil,
        schema.name == tables && definition.migrate.index != .none
          ? "`\(definition.migrate.index == .before ? "expand" : "constrain")` makes an index" : nil,
      ].compactMap { $0 }
      guard !needs.isEmpty else { continue }
      found.append(
        .warn(
          "grants",
          "\(role) may not create in schema \(schema.name), where \(needs.joined(separator: ", and "))",
          fix: "GRANT CREATE ON SCHEMA \(SQLText.identifier(schema.name)) TO \(to);"))
    }
    let lacks = map.filter { right in
      right == "INSERT" ? !derive.map.states.isEmpty : definition.migrate.foreignKey != .none
    }
    if !lacks.isEmpty {
      let why = lacks.map {
        $0 == "INSERT" ? "`expand` adds states by INSERT" : "`constrain` adds a foreign key by REFERENCES"
      }
      found.append(
        .warn(
          "grants",
          "\(role) lacks rights on \(derive.map.table), to which \(why.joined(separator: ", and "))",
          fix: "GRANT \(lacks.joined(separator: ", ")) ON \(derive.map.table.quoted) TO \(to);"))
    }
    if mayCreateControl == false {
      let who =
        definition.migrate.bridge == .trigger
        ? "`expand` makes the bridge's function" : "`contract` makes its guard"
      found.append(
        .warn(
          "grants", "\(role) may not create in schema crossfade, where \(who)",
          fix: "GRANT USAGE, CREATE ON SCHEMA crossfade TO \(to);"))
    }
    return found
  }

  private var to: String { SQLText.identifier(role) }
}

extension GrantFacts {
  static func ask(
    _ definition: SlotDefinition, role: RoleFacts, table: TableFacts, map: TableFacts?,
    _ connection: Connection
  ) throws(PostgresError) -> GrantFacts {
    let purpose = "look up what later phases need"
    let derive = definition.derive
    let schemas = try connection.query(
      """
      SELECT n.nspname, has_schema_privilege(n.oid, 'USAGE'), has_schema_privilege(n.oid, 'CREATE')
        FROM pg_namespace AS n WHERE n.nspname IN ($1, $2) ORDER BY 1
      """, [.text(derive.table.schema.name), .text(derive.map.table.schema.name)], purpose: purpose)
    let rights = try connection.query(
      """
      SELECT has_database_privilege($1::name, current_database(), 'CREATE'),
             EXISTS (SELECT FROM pg_publication WHERE pubname = $2),
             has_table_privilege($3::oid, 'INSERT'), has_table_privilege($3::oid, 'REFERENCES')
      """,
      [.text(table.owner), .text(definition.publication.name), map.map { .integer($0.oid) } ?? .null],
      purpose: purpose)
    return GrantFacts(
      role: role.role,
      schemas: (0..<schemas.rowCount).map { row in
        Schema(name: schemas[row, 0] ?? "", usage: schemas.boolean(row, 1), create: schemas.boolean(row, 2))
      },
      owner: table.isOwned ? nil : table.owner, ownerMayCreate: rights.boolean(0, 0),
      map: map == nil
        ? []
        : ["INSERT", "REFERENCES"].indices.filter { !rights.boolean(0, $0 + 2) }
          .map { ["INSERT", "REFERENCES"][$0] },
      hasMap: map != nil, hasPublication: rights.boolean(0, 1), mayCreateControl: role.schema?.create,
      database: role.database)
  }
}
