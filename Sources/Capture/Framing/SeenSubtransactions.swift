import PGOutput

/// The subtransactions of a transaction that records have come of: four bytes each, found by bisection.
///
/// A subtransaction's number is given after its top transaction's, and the distance between them tells the order even
/// where numbers wrap around (`transam.c TransactionIdFollows`). They come nearly in that order, so that nearly all are
/// put at the end.
struct SeenSubtransactions {
  /// Where a subtransaction stands, or would.
  struct Place {
    var index: Int
    var isThere: Bool
  }

  private var distances: [UInt32] = []

  func place(of subtransaction: TransactionID, in top: TransactionID) -> Place {
    let distance = subtransaction.rawValue &- top.rawValue
    guard let last = distances.last, distance <= last else {
      return Place(index: distances.count, isThere: false)
    }
    var low = 0
    var high = distances.count - 1
    while low < high {
      let middle = (low + high) / 2
      if distances[middle] < distance { low = middle + 1 } else { high = middle }
    }
    return Place(index: low, isThere: distances[low] == distance)
  }

  mutating func insert(_ subtransaction: TransactionID, at place: Place, in top: TransactionID) {
    distances.insert(subtransaction.rawValue &- top.rawValue, at: place.index)
  }

  mutating func remove(_ subtransaction: TransactionID, in top: TransactionID) {
    let place = place(of: subtransaction, in: top)
    if place.isThere { distances.remove(at: place.index) }
  }
}
