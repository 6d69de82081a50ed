import PGOutput

/// How the application wrote, counted: what goes into `crossfade.legacy`. A value.
struct Account: Equatable, Sendable {
  /// A row of the table.
  struct Cell: Hashable, Sendable {
    /// Days since 2000-01-01, UTC, of the commit.
    var day: Int
    var kind: Verdict.Kind
    /// Empty where nobody said.
    var application: String
  }

  /// What is added to it.
  struct Tally: Equatable, Sendable {
    var count = 0
    /// The end of the last transaction, and when it committed.
    var position = LSN.invalid
    var at = Timestamp(rawValue: 0)
    /// The last keys, the latest first.
    var keys: [KeyBytes] = []

    mutating func add(_ later: Tally) {
      count += later.count
      position = later.position
      at = later.at
      keys = Array((later.keys + keys).prefix(Account.keys))
    }
  }

  /// How many keys are kept of each.
  static let keys = 10

  private(set) var cells: [Cell: Tally] = [:]
  var isEmpty: Bool { cells.isEmpty }

  /// Takes in a transaction that is whole.
  mutating func add(_ transaction: TransactionAccount, end: LSN, at: Timestamp) {
    let microsecondsPerDay: Int64 = 86_400_000_000
    let day = Int((at.rawValue - (at.rawValue < 0 ? microsecondsPerDay - 1 : 0)) / microsecondsPerDay)
    for (kind, count, keys) in transaction.tallies {
      cells[Cell(day: day, kind: kind, application: transaction.application), default: Tally()]
        .add(Tally(count: count, position: end, at: at, keys: keys))
    }
  }

  mutating func add(_ later: Account) {
    for (cell, tally) in later.cells { cells[cell, default: Tally()].add(tally) }
  }
}

/// What the transaction under way counts so far: its end, and the message that names its application, may be to come.
struct TransactionAccount: Equatable, Sendable {
  var application = ""
  private var counts = [Int](repeating: 0, count: Verdict.Kind.allCases.count)
  private var last = [[KeyBytes]](repeating: [], count: Verdict.Kind.allCases.count)

  /// The prefix of the message by which a bridge names the application; it holds the slot, a newline and the name.
  static let messagePrefix = "crossfade.writer"

  mutating func note(_ kind: Verdict.Kind, _ key: [UInt8]) {
    let place = kind.place
    counts[place] += 1
    guard kind.isRemembered else { return }
    // The latest stand at the end, and are cut now and then: most transactions have one.
    last[place].append(key)
    if last[place].count >= 4 * Account.keys { last[place].removeFirst(3 * Account.keys) }
  }

  /// Takes a message in, where it is one that names an application of the slot.
  mutating func note(_ message: borrowing LogicalMessage, slot: String) {
    guard message.isTransactional, message.prefix.isEqual(Self.messagePrefix) else { return }
    let text = message.content.utf8String
    guard let text, let newline = text.firstIndex(of: "\n"), text[..<newline] == slot else { return }
    application = String(
      text[text.index(after: newline)...].filter { !$0.isNewline && $0 != "\0" }.prefix(63))
  }

  /// What is not zero.
  var tallies: [(Verdict.Kind, Int, [KeyBytes])] {
    Verdict.Kind.allCases.compactMap { kind in
      let count = counts[kind.place]
      return count > 0 ? (kind, count, last[kind.place].suffix(Account.keys).reversed()) : nil
    }
  }

  mutating func removeAll() {
    application = ""
    for place in counts.indices where counts[place] > 0 {
      counts[place] = 0
      last[place].removeAll(keepingCapacity: true)
    }
  }
}

extension Verdict.Kind {
  fileprivate var place: Int {
    switch self {
    case .old: 0
    case .new: 1
    case .both: 2
    case .other: 3
    case .conflict: 4
    }
  }

  /// Whether the last keys are kept: of those that somebody will look for.
  fileprivate var isRemembered: Bool { self != .both && self != .other }
}

extension RawSpan {
  fileprivate func isEqual(_ text: String) -> Bool {
    byteCount == text.utf8.count && [UInt8](self).elementsEqual(text.utf8)
  }
}
