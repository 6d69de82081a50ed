import PGOutput

/// A row that looked wrong: its key, and which version of the row it was.
struct SeenRow: Equatable, Sendable {
  /// A JSON array of the key's columns as text.
  var key: String
  /// The transaction that wrote the version (`xmin`): it leaves one version of a key at most.
  var version: String
}

/// A row that looks wrong now.
struct WrongRow: Equatable, Sendable {
  var row: SeenRow
  var kind: Verification.Class
  var from: String?
  var to: String?
}

/// Rows that looked wrong, until the stream tells whether they are. A value.
///
/// - A suspect is judged when everything committed before it was seen is applied, by looking at its row again.
/// - Right, or gone: it was on its way. Wrong in the same version: it is wrong, for what would have mended that version
///   has passed. Wrong in another version: that one may be on its way, and is a suspect from now on.
struct SuspectBook {
  struct Suspect: Equatable, Sendable {
    var row: SeenRow
    /// Where the WAL stood when it was seen, read after the row.
    var seen: LSN
    /// How often it was looked at again.
    var looks = 0
  }

  /// What a second look told.
  struct Judgement: Equatable {
    var settled: [String] = []
    var wrong: [Verification.Mismatch] = []
    /// The versions in which `wrong` rows were seen, in their order.
    var versions: [String] = []
    /// Wrong in another version.
    var moved: [Suspect] = []
  }

  private var suspects: [String: Suspect] = [:]

  init(_ suspects: [Suspect] = []) {
    for suspect in suspects { self.suspects[suspect.row.key] = suspect }
  }

  var count: Int { suspects.count }
  var isEmpty: Bool { suspects.isEmpty }

  /// The position that has to be passed before any of them can be judged.
  var earliest: LSN? { suspects.values.map(\.seen).min() }

  /// The position that has to be passed before all of them can be judged.
  var latest: LSN? { suspects.values.map(\.seen).max() }

  /// Takes in rows that look wrong; gives those that were not known in that version.
  mutating func note(_ rows: [SeenRow], at position: LSN) -> [Suspect] {
    rows.compactMap { row in
      guard suspects[row.key]?.row.version != row.version else { return nil }
      let suspect = Suspect(row: row, seen: position, looks: suspects[row.key]?.looks ?? 0)
      suspects[row.key] = suspect
      return suspect
    }
  }

  /// Those that can be judged when everything up to `applied` is, the first seen first.
  func due(_ applied: LSN, most: Int) -> [Suspect] {
    Array(
      suspects.values.filter { $0.seen <= applied }
        .sorted { ($0.seen, $0.row.key) < ($1.seen, $1.row.key) }.prefix(most))
  }

  /// Judges suspects by what their rows look like now: those among `wrong` are, the others are right or gone.
  mutating func judge(_ asked: [Suspect], wrong: [String: WrongRow], at position: LSN) -> Judgement {
    var judgement = Judgement()
    for suspect in asked {
      let key = suspect.row.key
      guard let found = wrong[key] else {
        suspects[key] = nil
        judgement.settled.append(key)
        continue
      }
      if found.row.version == suspect.row.version {
        suspects[key] = nil
        judgement.wrong.append(.init(found, seen: suspect.seen))
        judgement.versions.append(found.row.version)
      } else {
        let moved = Suspect(row: found.row, seen: position, looks: suspect.looks + 1)
        suspects[key] = moved
        judgement.moved.append(moved)
      }
    }
    return judgement
  }

  /// All that are left, which are then gone from here.
  mutating func giveUp() -> [Suspect] {
    defer { suspects = [:] }
    return suspects.values.sorted { ($0.seen, $0.row.key) < ($1.seen, $1.row.key) }
  }
}

extension Verification.Mismatch {
  init(_ found: WrongRow, seen: LSN) {
    self.init(kind: found.kind, key: found.row.key, from: found.from, to: found.to, seen: seen)
  }
}
