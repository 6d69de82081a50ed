/// What is known of the tables: of the connection, and of each streamed transaction by itself.
///
/// A relation sent inside a streamed block counts for that transaction alone until it commits, and never if it is
/// rolled back (`pgoutput.c cleanup_rel_sync_cache`).
struct RelationCache: Sendable {
  private struct Entry: Sendable {
    var arrival: Int
    var relation: Relation
  }

  private var entries: [RelationID: Entry] = [:]
  private var arrivals = 0

  /// The table as last described to the connection.
  subscript(id: RelationID) -> Relation? { entries[id]?.relation }

  /// The number of the next description; they count up in the order they came.
  mutating func nextArrival() -> Int {
    arrivals += 1
    return arrivals
  }

  /// Takes a description, unless a later one stands.
  mutating func insert(_ relation: Relation, arrival: Int) {
    if let entry = entries[relation.id], entry.arrival > arrival { return }
    var relation = relation
    relation.xid = nil
    entries[relation.id] = Entry(arrival: arrival, relation: relation)
  }
}
