import PGOutput

/// What the connection has said of tables and types, and which of it the log has yet to be told.
///
/// The server describes a table once a connection, and once more inside each streamed transaction; there it counts for
/// that transaction alone until it commits (`pgoutput.c maybe_send_schema`, `cleanup_rel_sync_cache`). The log's reader
/// knows one description a table, the last one in the log. The two part when a description came inside a
/// transaction that the log leaves out, or takes in later than the server sent it: then the connection's is repeated
/// before the next change.
struct RelationBook {
  /// What is described.
  struct Key: Hashable {
    var isType: Bool
    var oid: UInt32
  }

  /// A description as it was sent, without a streamed transaction's id, and its place in the order of arrival.
  struct Description: Equatable {
    var key: Key
    var arrival: Int
    var payload: [UInt8]
  }

  private var known: [Key: Description] = [:]
  /// Those of `known` that are not what the log says last.
  private var unlogged: Set<Key> = []
  private var arrivals = 0

  /// Whether the log has to be told something before the next change.
  var owes: Bool { !unlogged.isEmpty }

  /// Takes an `R` or `Y` payload in, without a transaction id. Both carry their oid after the tag.
  mutating func describe(_ payload: [UInt8]) -> Description? {
    guard payload.count >= 5 else { return nil }
    arrivals += 1
    let oid = payload[1..<5].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let key = Key(isType: payload[0] == UInt8(ascii: "Y"), oid: oid)
    return Description(key: key, arrival: arrivals, payload: payload)
  }

  /// It counts for the connection, and goes to the log with the change it precedes.
  mutating func log(_ description: Description) {
    known[description.key] = description
    unlogged.remove(description.key)
  }

  /// It counts for the connection, but the log does not get it now.
  mutating func withhold(_ description: Description) {
    if let held = known[description.key] {
      guard held.arrival <= description.arrival else { return }
      if held.payload == description.payload {
        known[description.key] = description
        return
      }
    }
    known[description.key] = description
    unlogged.insert(description.key)
  }

  /// A spooled transaction that held these descriptions, the last of each, goes to the log.
  mutating func splice(_ descriptions: [Description]) {
    for description in descriptions {
      if let held = known[description.key], held.arrival > description.arrival {
        if held.payload == description.payload {
          unlogged.remove(description.key)
        } else {
          unlogged.insert(description.key)
        }
      } else {
        log(description)
      }
    }
  }

  /// A spooled transaction goes to the log of whose descriptions nothing is known: it was prepared on an earlier
  /// connection.
  mutating func spliceUnseen() { unlogged.formUnion(known.keys) }

  /// What the log has to be told, types first; from now on it has been.
  mutating func takeOwed() -> [[UInt8]] {
    let owed = unlogged.compactMap { known[$0] }.sorted {
      $0.key.isType != $1.key.isType ? $0.key.isType : $0.arrival < $1.arrival
    }
    unlogged.removeAll()
    return owed.map(\.payload)
  }

  /// What a transaction must hold to be understood alone where it changes a table: every known type, and the table.
  func whatDescribes(_ relation: UInt32) -> [Description] {
    guard let table = known[Key(isType: false, oid: relation)] else { return [] }
    return known.values.filter(\.key.isType).sorted { $0.arrival < $1.arrival } + [table]
  }
}
