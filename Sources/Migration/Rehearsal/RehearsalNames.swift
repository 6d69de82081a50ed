import Derivation

/// What a rehearsal makes, by name: the same names each time, so that the next run finds what a killed one left.
struct RehearsalNames {
  /// The schema with the clones.
  let schema: Identifier
  /// The name under which the rehearsal keeps its account, next to the slot's own.
  let slot: String

  init(_ slot: String) throws(MigrationError) {
    let mark = SHA256Text.hex(slot).prefix(16)
    let schema = "crossfade_rehearsal_\(slot)"
    let own = "\(slot)_clone"
    self.slot = own.utf8.count <= Identifier.maximumBytes ? own : "clone_\(mark)"
    do {
      self.schema = try Identifier(
        schema.utf8.count <= Identifier.maximumBytes ? schema : "crossfade_rehearsal_\(mark)")
    } catch {
      throw .notReady(
        what: "slot \(slot) gives no name for a schema: \(error)", hint: "shorten the slot's name")
    }
  }

  /// Says whose the schema is: one without it is not ours to remove.
  func comment(_ slot: String) -> String {
    "crossfade: a rehearsal of slot \(slot); removed at its end, or by the next rehearsal"
  }

  /// The definition with the clones in the place of the tables, and what belongs to production left out: windows, hazards to be
  /// accepted, the log.
  ///
  /// - Parameter connection: where the clones are.
  func definition(_ definition: SlotDefinition, on connection: ConnectionString) -> SlotDefinition {
    var copy = definition
    copy.slot = slot
    copy.publication = (try? Identifier(slot)) ?? definition.publication
    copy.source = connection
    copy.derive.table.schema = schema
    copy.derive.map.table.schema = schema
    // The ledger's table and the map may have the same name in two schemas.
    if copy.derive.map.table.name == copy.derive.table.name {
      copy.derive.map.table.name =
        (try? Identifier(ObjectName.make(copy.derive.map.table.name, "map"))) ?? schema
    }
    copy.migrate.accepted = nil
    copy.backfill.windows = []
    // No log is read or written; nothing is there.
    copy.log.directory = "/nonexistent/crossfade-rehearsal"
    return copy
  }
}
