import ChangeLog
import PGOutput
import Testing

/// Rows asked for by key: the same as reading everything and leaving out the rest.
@Suite("Rows by their key", .timeLimit(.minutes(2)))
struct KeyFilterTests {
  /// What is compared of a change.
  private struct Seen: Hashable {
    var position: Position
    var kind: LogChange.Kind
    var table: String
    var id: ColumnImage?
    var status: ColumnImage?

    init(_ change: LogChange) throws {
      position = change.position
      kind = change.kind
      table = change.relation?.qualifiedName ?? "-"
      id = try change.new("id")
      status = try change.new("status")
    }
  }

  /// The definition, in terms of what a reader is shown of a change.
  private func isWanted(_ change: LogChange, _ keys: LogKeys, _ tables: Set<String>?) throws -> Bool {
    func has(_ relation: Relation) -> Bool {
      keys.columns.allSatisfy { relation.columnIndex(named: $0) != nil }
        && tables?.contains(relation.qualifiedName) ?? true
    }
    if change.kind == .truncate { return change.truncated.contains(where: has) }
    guard let relation = change.relation, has(relation) else { return false }
    let new = try keys.columns.map { try text(change.new($0), $0, relation) }
    let old = try keys.columns.map { try text(change.old($0), $0, relation) }
    return keys.values.contains { $0 == new || $0 == old }
  }

  private func text(_ image: ColumnImage?, _ column: String, _ relation: Relation) throws -> String? {
    switch image {
    case .text(let text): return text
    case .binary(let bytes):
      let index = try #require(relation.columnIndex(named: column))
      guard let form = BinaryForm(builtIn: relation.columns[index].type) else { return nil }
      var utf8: [UInt8] = []
      return form.appendText(of: bytes.rawBytes, to: &utf8) ? String(validating: utf8, as: UTF8.self) : nil
    default: return nil
    }
  }

  @Test(
    "what is read by key is what is left of all changes", arguments: [60, 900, 20_000], [1, 2] as [UInt64])
  func property(frameBytes: Int, seed: UInt64) async throws {
    let directory = try TemporaryDirectory()
    var ledger = RandomLedger(seed: seed, frameBytes: frameBytes)
    try ledger.write(120, to: directory.open(segmentBytes: 12_000))
    let log = LogSource(directory: directory.path)
    let wanted = [
      LogKeys(columns: ["id", "region"], values: [RandomLedger.keys[3]]),
      LogKeys(columns: ["id", "region"], values: [RandomLedger.keys[0], RandomLedger.keys[5]]),
      LogKeys(columns: ["id"], values: [["3"]]), LogKeys(columns: ["status"], values: [["AUTH"]]),
      LogKeys(columns: ["id"], values: [["03"]]), LogKeys(columns: ["nothing"], values: [["3"]]),
    ]
    var all: [LogChange] = []
    for try await change in log.changes(follow: false) { all.append(change) }
    var found = 0
    for keys in wanted {
      for tables in [nil, ["public.refunds"]] as [Set<String>?] {
        let expected = try all.filter { try isWanted($0, keys, tables) }.map(Seen.init)
        var given: [Seen] = []
        for try await change in log.changes(tables: tables, keys: keys, follow: false) {
          given.append(try Seen(change))
        }
        #expect(given == expected, "seed \(seed), \(frameBytes) bytes a frame, \(keys), of \(tables ?? [])")
        found += given.count
        guard let middle = given.dropFirst(given.count / 2).first else { continue }
        var rest: [Seen] = []
        for try await change in log.changes(after: middle.position, tables: tables, keys: keys, follow: false)
        {
          rest.append(try Seen(change))
        }
        #expect(rest == Array(given[(given.count / 2 + 1)...]), "seed \(seed), after \(middle.position)")
      }
    }
    #expect(found > 300)
  }

  @Test("a key that lacks a column's text is no row's")
  func incomplete() async throws {
    let directory = try TemporaryDirectory()
    var ledger = RandomLedger(seed: 4, frameBytes: 500)
    try ledger.write(50, to: directory.open())
    let keys = LogKeys(columns: ["id", "region"], values: [["3"]])
    for try await change in LogSource(directory: directory.path).changes(keys: keys, follow: false) {
      #expect(change.kind == .truncate)
    }
  }

  @Test("a row that is cut short is named when it is looked at for its key")
  func malformed() async throws {
    let directory = try TemporaryDirectory()
    let writer = try directory.open()
    var records = LedgerRecords(after: .exampleStart)
    records.begin(xid: 1)
    records.describe(LedgerRecords.transactions)
    records.group.add([UInt8(ascii: "I"), 0, 0, 0x40, 0x10, UInt8(ascii: "N"), 0, 2, UInt8(ascii: "n")])
    _ = records.commit()
    try writer.append(records)
    let keys = LogKeys(columns: ["id"], values: [["1"]])
    do throws(ChangeLogError) {
      for try await _ in LogSource(directory: directory.path).changes(keys: keys, follow: false) {}
      Issue.record("nothing was thrown")
    } catch {
      guard case .malformedRecord(_, let reason) = error else { throw error }
      #expect(reason == "Insert ('I'), byte 9, column 1: kind needs 1 byte, 0 left")
    }
  }
}
