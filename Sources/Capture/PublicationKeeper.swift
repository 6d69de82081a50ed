import Postgres

/// Makes the publication when it is missing and judges it when it is there.
struct PublicationKeeper {
  let plan: CapturePlan
  let connection: Connection

  /// - Parameter begun: whether capture has begun before; then a missing publication means missed changes.
  func ensure(begun: Bool) throws(CaptureError) {
    let rows = try connection.asking(
      "SELECT oid, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot "
        + "FROM pg_catalog.pg_publication WHERE pubname = $1",
      [.text(plan.publication)], "look up publication \(plan.publication)")
    let table = try PublishedTable.find(plan.table, on: connection)
    try checkStatus()
    guard rows.rowCount == 1 else {
      if begun { throw .refused(.publicationMissing(publication: plan.publication)) }
      try create(table)
      return
    }
    for (column, action) in [(2, "insert"), (3, "update"), (4, "delete"), (5, "truncate")]
    where !rows.boolean(0, column) {
      throw unfit("it does not publish \(action)")
    }
    guard !table.partitioned || rows.boolean(0, 6) else {
      throw unfit(
        "it must have publish_via_partition_root = true for the partitioned table \(plan.table.name)")
    }
    try checkMembership(table)
    try checkGenerated(table)
  }

  private func checkStatus() throws(CaptureError) {
    let (schema, name) = (plan.table.schema, plan.table.name)
    guard let status = plan.table.status else { return }
    let found: (type: String, text: StreamedText)?
    do {
      found = try StreamedText.ask(status, of: name, schema: schema, on: connection)
    } catch {
      throw .postgres(error)
    }
    guard let found else { return }
    throw .refused(
      .statusText(
        table: "\(schema).\(name)", column: status, what: found.text.danger(found.type),
        remedy: found.text.remedy(
          SQLText.identifier(status), of: "\(SQLText.identifier(schema)).\(SQLText.identifier(name))",
          type: found.type)))
  }

  private func checkGenerated(_ table: PublishedTable) throws(CaptureError) {
    guard let column = table.generatedColumn else { return }
    let rows = try connection.asking(
      "SELECT pubgencols = 's' FROM pg_catalog.pg_publication WHERE pubname = $1", [.text(plan.publication)],
      "look up publication \(plan.publication)")
    guard !rows.boolean(0, 0) else { return }
    throw .refused(
      .generatedIdentity(
        table: "\(plan.table.schema).\(plan.table.name)", column: column,
        grant:
          "ALTER PUBLICATION \(SQLText.identifier(plan.publication)) SET (publish_generated_columns = stored);"
      ))
  }

  /// The statement that makes the publication: only the columns the slot needs leave the ledger, where the server
  /// can list columns (15) and the replica identity allows it (`FULL` needs them all).
  private func create(_ table: PublishedTable) throws(CaptureError) {
    let name = "\(SQLText.identifier(plan.table.schema)).\(SQLText.identifier(plan.table.name))"
    var columns = ""
    if connection.serverVersion.major >= 15, table.identity != "f" {
      var listed = table.identityColumns
      for column in plan.table.columns where !listed.contains(column) { listed.append(column) }
      columns = " (" + listed.map(SQLText.identifier).joined(separator: ", ") + ")"
    }
    let sql =
      "CREATE PUBLICATION \(SQLText.identifier(plan.publication)) FOR TABLE \(name)\(columns) "
      + "WITH (publish_via_partition_root = true"
      + (table.generatedColumn == nil ? "" : ", publish_generated_columns = stored") + ")"
    do {
      try connection.query(sql, purpose: "create publication \(plan.publication)")
    } catch {
      if error.sqlState == .insufficientPrivilege {
        throw .refused(
          .privilege(
            what: "the role may not create publication \(plan.publication): \(error)",
            grant: "as the table's owner run: \(sql)"))
      }
      throw .postgres(error)
    }
  }

  private func checkMembership(_ table: PublishedTable) throws(CaptureError) {
    let filtered = connection.serverVersion.major >= 15
    let rows = try connection.asking(
      "SELECT \(filtered ? "attnames, rowfilter" : "NULL, NULL") FROM pg_catalog.pg_publication_tables "
        + "WHERE pubname = $1 AND schemaname = $2 AND tablename = $3",
      [.text(plan.publication), .text(plan.table.schema), .text(plan.table.name)],
      "look up the tables of publication \(plan.publication)")
    guard rows.rowCount == 1 else {
      throw unfit("table \(plan.table.schema).\(plan.table.name) is not in it")
    }
    guard rows[0, 1] == nil else {
      throw unfit("it has a row filter; changes of rows outside it would be missed")
    }
    guard filtered else { return }
    // A column that the table has no more, the old one after its end, is nobody's to publish.
    let missing = try connection.asking(
      """
      SELECT c FROM unnest($1::text[]) c WHERE NOT c = ANY ($2::name[]::text[])
         AND NOT (c = ANY ($3::text[]) AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = $4::oid AND a.attname = c AND NOT a.attisdropped))
      """,
      [
        .text(Self.arrayLiteral(plan.table.columns)), .optional(rows[0, 0]),
        .text(Self.arrayLiteral(plan.table.mayBeGone)), .integer(table.oid),
      ],
      "compare the columns of publication \(plan.publication)")
    if let column = missing[0, 0] { throw unfit("column \(column) is not in its column list") }
  }

  private func unfit(_ what: String) -> CaptureError {
    .refused(.publicationUnfit(publication: plan.publication, what: what))
  }

  private static func arrayLiteral(_ values: [String]) -> String {
    let quoted = values.map { value in
      "\"" + value.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }
    return "{" + quoted.joined(separator: ",") + "}"
  }
}
