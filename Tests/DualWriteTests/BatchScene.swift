import Derivation
import PGOutput

@testable import DualWrite

/// A builder fed with records, and what it has gathered as text.
struct BatchScene {
  var builder: BatchBuilder

  init(
    skipThrough: UInt64 = 0, key: [String] = ["id"], map: StateMap = .example,
    relation: [UInt8]? = Record.relation(), forms: [TypeOID: BinaryForm] = [:]
  ) throws {
    builder = BatchBuilder(
      derive: try .example(key: key), statuses: StatusSet(map), forms: forms,
      skipThrough: LSN(rawValue: skipThrough),
      capacity: 4)
    if let relation { try add(relation) }
  }

  mutating func add(_ records: [UInt8]...) throws {
    for record in records {
      try record.withUnsafeBytes { try builder.add($0, walStart: 16) }
    }
  }

  /// A transaction that ends eight bytes after its commit record begins.
  mutating func transaction(final: UInt64, xid: UInt32 = 700, _ records: [UInt8]...) throws {
    try add(Record.begin(final: final, xid: xid))
    for record in records { try add(record) }
    try add(Record.commit(final: final, end: final + 8))
  }

  var text: String { Self.text(builder.batch) }

  /// A key a word: `1=derive`, `1=gone`, `1=?XXX@0/20` for an unknown status, `1=derive~` when the status was not
  /// told; then the end and the transactions' numbers.
  static func text(_ batch: Batch) -> String {
    var words = batch.keys.entries.map { entry -> String in
      var columns: [String] = []
      batch.keys.columns(of: entry) { _, bytes in columns.append(String(decoding: bytes, as: UTF8.self)) }
      var word = columns.joined(separator: "+") + "=" + (entry.derives ? "derive" : "gone")
      if entry.unknown >= 0 {
        let unknown = batch.unknown[Int(entry.unknown)]
        word +=
          "?" + (unknown.status.map { String(decoding: $0, as: UTF8.self) } ?? "NULL")
          + "@\(unknown.position)"
      }
      return entry.tellsStatus ? word : word + "~"
    }
    if batch.truncated { words.insert("truncated", at: 0) }
    words.append("end=\(batch.endLSN?.description ?? "none")")
    words.append("xids=" + batch.xids.map(String.init).joined(separator: "+"))
    return words.joined(separator: " ")
  }
}
