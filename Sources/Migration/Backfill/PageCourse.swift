import Postgres

/// What is tried next of a page that the server would not take whole: halves, until the row at fault stands alone.
struct PageCourse: Equatable {
  /// What to try.
  enum Attempt: Equatable {
    /// So many rows. Without waiting for rows that others hold, where `careful`.
    case page(rows: Int, careful: Bool)
    /// The one row at the beginning of what is left.
    case row(careful: Bool)
  }

  /// Why it was not taken.
  enum Failure: Equatable {
    /// A lock that could not be had, a deadlock, a serialization failure.
    case lock
    /// The statement's time was up.
    case time
    /// The row's data: a check, a trigger that raises.
    case data

    /// By the server's SQLSTATE; nil for what is about no row.
    init?(_ state: SQLState) {
      if state.isTransient {
        self = .lock
      } else if state == .queryCanceled {
        self = .time
      } else if ["22", "23", "P0", "44", "09", "27"].contains(state.category) {
        self = .data
      } else {
        return nil
      }
    }
  }

  /// What a failure leads to.
  enum Outcome: Equatable {
    /// The next attempt is another one.
    case again
    /// The same, after a wait: nobody's row is at fault.
    case wait
    /// The row that stands alone is put aside with the error.
    case refuse
  }

  /// Rows of the parts that are left, the next one last.
  private var parts: [Int] = []
  private var isCareful = false
  private var timeouts = 0

  /// A statement for one row that is cut off so many times is the row's.
  static let patience = 3

  /// Whether a page is being taken apart.
  var isSplit: Bool { !parts.isEmpty }

  func next(batch: Int) -> Attempt {
    let rows = parts.last ?? batch
    return rows == 1 && isSplit ? .row(careful: isCareful) : .page(rows: rows, careful: isCareful)
  }

  mutating func succeeded() {
    _ = parts.popLast()
    isCareful = false
    timeouts = 0
  }

  mutating func failed(_ failure: Failure, batch: Int) -> Outcome {
    switch failure {
    case .lock:
      // Careful already: it is the table that is locked.
      if isCareful { return .wait }
      isCareful = true
      return .again
    case .time where rows(batch) == 1 && isSplit:
      timeouts += 1
      return timeouts < Self.patience ? .wait : .refuse
    case .data where rows(batch) == 1 && isSplit: return .refuse
    case .time, .data:
      let rows = rows(batch)
      _ = parts.popLast()
      if rows > 1 { parts += [rows - rows / 2, rows / 2] } else { parts.append(1) }
      return .again
    }
  }

  private func rows(_ batch: Int) -> Int { parts.last ?? batch }
}
