/// A transaction that has begun and not ended.
struct OpenTransaction: Sendable {
  /// How it came, and what has to come next.
  enum State: Sendable {
    /// `B` came; `C` follows.
    case ordinary(Begin)
    /// `b` came; `P` follows.
    case preparing
    /// `S` came; more blocks, `c`, `A` or `p` follow. Lost with the connection: it is all sent again.
    case streamed
    /// `P` or `p` came; `K` or `r` follow, maybe after a restart.
    case prepared
  }

  private struct Description: Sendable {
    var arrival: Int
    var relation: Relation
  }

  private struct Subtransaction: Sendable {
    var xid: TransactionID
    var ordinal: Int
    /// The descriptions that came before: one with the same ordinal may stand on either side.
    var descriptions: Int
  }

  var state: State
  var origin: Origin?
  var gid: String?
  private(set) var changeCount = 0

  /// The subtransactions in the order of their first change (`worker.c subxact_info_add`).
  private var subtransactions: [Subtransaction] = []
  private var indexes: [TransactionID: Int] = [:]
  /// The descriptions that came inside its blocks, in order.
  private var descriptions: [Description] = []
  private var relations: [RelationID: Relation] = [:]

  init(state: State) { self.state = state }

  /// The table as described inside the transaction's own blocks.
  subscript(id: RelationID) -> Relation? { relations[id] }

  /// Notes that something of a (sub)transaction came; its first is where a rollback will cut.
  mutating func note(_ xid: TransactionID?, top: TransactionID) {
    guard let xid, xid != top, indexes[xid] == nil else { return }
    indexes[xid] = subtransactions.count
    subtransactions.append(
      Subtransaction(xid: xid, ordinal: changeCount, descriptions: descriptions.count))
  }

  /// Counts a change; gives its ordinal, and whether a rollback may cut right before it.
  mutating func count() -> (ordinal: Int, mayBeCut: Bool) {
    let ordinal = changeCount
    changeCount += 1
    return (ordinal, subtransactions.last?.ordinal == ordinal)
  }

  /// Takes a description that came inside a streamed block.
  mutating func describe(_ relation: Relation, arrival: Int) {
    descriptions.append(Description(arrival: arrival, relation: relation))
    relations[relation.id] = relation
  }

  /// Rolls a subtransaction back: everything since its first change goes, subtransactions seen later and
  /// descriptions too (`worker.c stream_abort_internal`). Nil when nothing of it ever came.
  mutating func rollBack(_ subxid: TransactionID) -> Int? {
    guard let index = indexes[subxid] else { return nil }
    let (ordinal, kept) = (subtransactions[index].ordinal, subtransactions[index].descriptions)
    for gone in subtransactions[index...] { indexes[gone.xid] = nil }
    subtransactions.removeSubrange(index...)
    let isChanged = changeCount > ordinal
    changeCount = ordinal
    if kept < descriptions.count {
      descriptions.removeSubrange(kept...)
      relations = [:]
      for description in descriptions { relations[description.relation.id] = description.relation }
    }
    return isChanged ? ordinal : nil
  }

  /// Hands the descriptions over to the connection: the transaction has committed.
  func promote(to cache: inout RelationCache) {
    for description in descriptions { cache.insert(description.relation, arrival: description.arrival) }
  }
}
