import ChangeLog
import LocalCluster
import PGOutput
import Postgres
import Testing

@testable import DualWrite

/// 2^32: the first transaction of the next epoch has 32 bits of zero.
private let epoch: UInt64 = 1 << 32

/// A number of 32 bits, a snapshot, and whether that transaction is visible in it.
private let cases: [(xid: UInt64, snapshot: String, isVisible: Bool)] = [
  // Plain: below xmin, in progress, at and past xmax.
  (900, "1000:1010:1003", true), (1003, "1000:1010:1003", false), (1004, "1000:1010:1003", true),
  (1009, "1000:1010:1003", true), (1010, "1000:1010:1003", false), (1500, "1000:1010:1003", false),
  // The snapshot stands just past the wrap, the transaction just before it.
  (0xFFFF_FFFF, "\(epoch + 5):\(epoch + 9):", true),
  (0xFFFF_FFF0, "\(epoch - 20):\(epoch + 9):\(epoch - 16)", false),
  (0xFFFF_FFF1, "\(epoch - 20):\(epoch + 9):\(epoch - 16)", true),
  // The snapshot stands just before the wrap, the transaction just past it: not there yet.
  (3, "\(epoch - 5):\(epoch - 2):", false), (0xFFFF_FFFD, "\(epoch - 5):\(epoch - 2):", true),
  // Both past it, in the second epoch and in a much later one.
  (3, "\(epoch + 5):\(epoch + 9):", true), (5, "\(epoch + 5):\(epoch + 9):\(epoch + 5)", false),
  (9, "\(epoch + 5):\(epoch + 9):", false),
  (7, "\(1000 * epoch + 5):\(1000 * epoch + 9):\(1000 * epoch + 7)", false),
  (6, "\(1000 * epoch + 5):\(1000 * epoch + 9):\(1000 * epoch + 7)", true),
  // Just past the wrap: 3 is the first number that a transaction can have.
  (3, "\(epoch + 3):\(epoch + 3):", false), (0xFFFF_FFFF, "\(epoch + 3):\(epoch + 3):", true),
  (3, "\(epoch + 3):\(epoch + 4):", true),
  // The greatest distances there can be.
  (0x8000_0003, "\(epoch + 3):\(epoch + 3):", true), (0x8000_0002, "\(epoch + 3):\(epoch + 3):", false),
]

@Suite("Whether a batch's transactions are visible", .timeLimit(.minutes(10))) struct SettledTransactionTests
{
  /// `Checkpoint.unsettled` under a snapshot of our choice.
  private func unsettled(_ xids: [UInt64], snapshot: String, on session: Connection) throws -> [String] {
    let sql = Checkpoint.unsettled.replacing(
      "pg_catalog.pg_current_snapshot()", with: "'\(snapshot)'::pg_catalog.pg_snapshot")
    #expect(sql != Checkpoint.unsettled)
    let array = "{" + xids.map(String.init).joined(separator: ",") + "}"
    return try session.column(sql, [.text(array)])
  }

  @Test(
    "a number of 32 bits is completed by the snapshot, on either side of the wrap",
    arguments: cases)
  func completion(xid: UInt64, snapshot: String, isVisible: Bool) throws {
    let session = try Self.target.get().connect()
    #expect(try unsettled([xid], snapshot: snapshot, on: session) == (isVisible ? [] : ["\(xid)"]))
  }

  @Test("one transaction in doubt is found among many that are settled")
  func amongMany() throws {
    let session = try Self.target.get().connect()
    #expect(try unsettled(Array(900..<1000), snapshot: "1000:1010:", on: session) == [])
    #expect(try unsettled(Array(900..<1000) + [1010], snapshot: "1000:1010:", on: session) == ["1010"])
    #expect(try unsettled([], snapshot: "1000:1010:", on: session) == [])
  }

  @Test("the checkpoint's own statement completes numbers by the same arithmetic")
  func sameArithmetic() {
    let arithmetic =
      "(b.xmax + (((x - (b.xmax & 4294967295) + 2147483648) & 4294967295) - 2147483648))::text::xid8"
    #expect(Checkpoint.advance.contains(arithmetic))
    #expect(Checkpoint.unsettled.contains(arithmetic))
  }

  @Test("the checkpoint moves once the transaction is visible, not while it is under way")
  func advance() throws {
    let target = try TargetDatabase("advance")
    let session = try target.connect()
    let ledger = try target.connect()
    try Checkpoint.create(
      endLSN: LSN(rawValue: 16),
      origin: .init(
        systemIdentifier: .max, timeline: 1, databaseOID: 5, slot: "s", creationPoint: LSN(rawValue: 16)),
      on: session)
    func advance(to end: String, _ xid: String) throws -> QueryResult {
      try session.query(
        Checkpoint.advance, ["s", .text(end), "2", "3", .text("{\(xid)}")], purpose: "move the checkpoint")
    }
    try ledger.script("BEGIN", purpose: "begin")
    let xid = try #require(
      try ledger.column("SELECT (pg_current_xact_id()::text::bigint & 4294967295)").first)
    #expect(try advance(to: "0/20", xid).rowCount == 0)
    #expect(try session.column(Checkpoint.unsettled, [.text("{\(xid)}")]) == [xid])
    #expect(try Checkpoint.load(slot: "s", on: session)?.endLSN == LSN(rawValue: 16))
    try ledger.script("COMMIT", purpose: "commit")
    let moved = try advance(to: "0/20", xid)
    #expect(moved.rowCount == 1)
    #expect(!moved.boolean(0, 1))
    #expect(try session.column(Checkpoint.unsettled, [.text("{\(xid)}")]) == [])
    let checkpoint = try #require(try Checkpoint.load(slot: "s", on: session))
    #expect(checkpoint.endLSN == LSN(rawValue: 32))
    #expect(checkpoint.transactions == 2 && checkpoint.changes == 3)
    #expect(checkpoint.origin.systemIdentifier == .max)
  }

  private static let target = Result { try TargetDatabase("settled") }
}
