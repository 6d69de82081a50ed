internal import Yams

extension SlotDefinition {
  /// Reads a slot definition.
  ///
  /// - Parameters:
  ///   - yaml: The text of the file.
  ///   - file: The file's name, for messages.
  ///   - environment: Where `${VARIABLE}` looks.
  /// - Throws: Every fault in the text, in its order.
  public static func parse(
    yaml: String, file: String, environment: [String: String]
  ) throws(DefinitionErrors) -> SlotDefinition {
    let document = DefinitionDocument(yaml)
    var reader = DefinitionReader(file: file, yaml: yaml, ghosts: document.ghosts, environment: environment)
    if let failure = document.failure {
      reader.report(.root, failure.place, failure.problem, hint: failure.hint)
      throw DefinitionErrors(reader.errors)
    }
    let node = document.root ?? Node("")
    reader.reportDuplicates(in: node)
    let definition = reader.slotDefinition(Field(path: .root, node: node))
    guard let definition, reader.errors.isEmpty else { throw DefinitionErrors(reader.errors) }
    return definition
  }
}

extension DefinitionReader {
  fileprivate mutating func slotDefinition(_ document: Field) -> SlotDefinition? {
    guard var root = section(document, .root) else { return nil }
    root.place = Place(line: 1, column: 1)
    if let version = field(root, "version", required: "begin the file with `version: 1`") {
      checkVersion(version)
    }
    let slot = field(root, "slot", required: "write `slot: NAME`, the replication slot's name")
      .flatMap { slotName($0) }
    let publication = field(root, "publication").flatMap { identifier($0, "a publication's name") }
    let source = connection(root)
    let derive = derive(root)
    let log = log(root)
    let confirm = field(root, "confirm").flatMap { choice($0, SlotDefinition.Confirm.self) }
    let stream = stream(root, confirm: confirm ?? .logged)
    let write = write(root)
    let backfill = backfill(root)
    let migrate = migrate(root)
    let events = events(root, derive: derive)
    let serve = serve(root)

    guard let slot, let source, let derive, let log, let named = try? Identifier(slot) else { return nil }
    return SlotDefinition(
      slot: slot, publication: publication ?? named, source: source, derive: derive, log: log,
      confirm: confirm ?? .logged, stream: stream, write: write, backfill: backfill, migrate: migrate,
      events: events, serve: serve)
  }

  private mutating func checkVersion(_ field: Field) {
    if field.isPlain, field.scalarText == "1" { return }
    let found = field.isPlain || field.scalarText == nil ? field.kind : "\(field.kind) in quotes"
    report(
      field, "is \(found), and this build reads version 1",
      hint: "write `version: 1`, or use the crossfade that the file was written for")
  }

  /// PostgreSQL's rule (`slot.c ReplicationSlotValidateName`).
  private mutating func slotName(_ field: Field) -> String? {
    let must = "1 to 63 of a-z, 0-9 and _"
    let hint = "name it after what it derives: `crossfade_transaction_state`"
    guard let name = text(field, must, hint: hint) else { return nil }
    let isName = name.utf8.allSatisfy {
      UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
        || $0 == UInt8(ascii: "_")
    }
    guard isName, (1...Identifier.maximumBytes).contains(name.utf8.count) else {
      report(field, "is \(field.kind), must be \(must)", hint: hint)
      return nil
    }
    return name
  }

  private mutating func connection(_ root: Section) -> ConnectionString? {
    let example = "write `source:` with `connection: ${CROSSFADE_SOURCE}` indented under it"
    guard let source = field(root, "source", required: example).flatMap({ section($0, .source) }) else {
      return nil
    }
    let hint = "write `connection: ${CROSSFADE_SOURCE}`, a conninfo string or a URI"
    return field(source, "connection", required: hint)
      .flatMap { connectionString($0, hint: hint) }
  }

  private mutating func connectionString(_ field: Field, hint: String) -> ConnectionString? {
    // What stands here may hold a password: messages never show it.
    guard field.node.scalar != nil else {
      report(
        field, "is \(field.node.mapping == nil ? "a list" : "a mapping"), must be a connection string",
        hint: hint)
      return nil
    }
    return expanded(field, "a connection string", hint: hint).map { ConnectionString($0) }
  }
}
