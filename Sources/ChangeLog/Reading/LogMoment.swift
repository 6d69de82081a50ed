public import PGOutput

extension LogSource {
  /// The position before the first transaction that committed at a moment or later; the log's end when none did.
  ///
  /// Commit times do not follow the order of commits to the microsecond. So the search among the segments stops one early,
  /// and from there on the transactions are looked at one by one.
  public func position(before time: Timestamp) throws(ChangeLogError) -> Position {
    let starts = try SegmentShelf(directory: LogDirectory(path: directory), restore: restore).starts()
    guard let first = starts.first else { throw .noLog(directory: directory) }
    var (low, high) = (0, starts.count)
    while low < high {
      let middle = (low + high) / 2
      if let found = try firstCommit(after: starts[middle]), found < time {
        low = middle + 1
      } else {
        high = middle
      }
    }
    var position = Position(endLSN: low >= 2 ? starts[low - 2] : first)
    let cursor = try units(after: position)
    while let head = try cursor.nextUnit() {
      if let committed = head.commitTime, committed >= time { return position }
      position = Position(endLSN: head.end)
    }
    return Position(endLSN: max(position.endLSN, cursor.reach))
  }

  /// When the first transaction after a position committed; nil when there is none.
  private func firstCommit(after start: LSN) throws(ChangeLogError) -> Timestamp? {
    let cursor = try units(after: Position(endLSN: start))
    while let head = try cursor.nextUnit() { if let time = head.commitTime { return time } }
    return nil
  }
}
