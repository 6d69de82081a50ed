import PGOutput

/// Where a pass over the whole table stands; what `crossfade.verification` holds of it. A value.
struct PassState: Equatable, Sendable {
  /// The definition's names and the map's rows, digested: what was verified under another one is not verified.
  var fingerprint: String
  /// Everything up to here was applied when the pass began. What transactions that end later touched is to be looked at
  /// again.
  var since: LSN
  /// The last key of the table when it began; nil for an empty table. What comes after it is the stream's.
  var bound: [String]?
  /// Up to which key it has come.
  var lastKey: [String]?
  /// Rows expected.
  var expected: Int64 = 0
  /// Counts and first mismatches.
  var found = Verification()
  /// Whether it has come to its end.
  var finished = false
  /// Every row that a transaction up to here touched since then has been looked at again.
  var followed: LSN
  /// Why it does not count any more.
  var invalid: String?

  init(fingerprint: String, since: LSN, bound: [String]?, expected: Int64) {
    self.fingerprint = fingerprint
    self.since = since
    self.bound = bound
    self.expected = expected
    followed = since
  }
}

/// What is written together with a state: rows that become suspect or wrong, and rows that are neither any more.
struct OpenRows: Sendable {
  /// Rows that are suspect, by key.
  var suspects: [String: SuspectBook.Suspect] = [:]
  /// Rows that could not be judged: the stream stood still.
  var undecided: [SuspectBook.Suspect] = []
  /// Rows that are wrong, each with its version.
  var wrong: [(mismatch: Verification.Mismatch, version: String)] = []
  /// Keys of rows that are not kept any more.
  var gone: [String] = []

  mutating func add(_ found: [SuspectBook.Suspect]) {
    for suspect in found { suspects[suspect.row.key] = suspect }
  }

  /// What a judgement changes. Of the wrong rows only so many are kept as there is room for.
  mutating func note(_ judgement: SuspectBook.Judgement, room: Int) {
    add(judgement.moved)
    let kept = judgement.wrong.prefix(max(0, room))
    wrong += zip(kept, judgement.versions).map { ($0, $1) }
    gone += judgement.settled + judgement.wrong.dropFirst(kept.count).map(\.key)
    for key in judgement.settled + judgement.wrong.map(\.key) { suspects[key] = nil }
  }
}
