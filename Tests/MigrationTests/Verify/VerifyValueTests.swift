import PGOutput
import Testing

@testable import Migration

/// What decides, without a server.
@Suite("Verify's values") struct VerifyValueTests {
  private func lsn(_ number: UInt64) -> LSN { LSN(rawValue: number) }
  private func row(_ key: String, _ version: String = "v1") -> SeenRow { SeenRow(key: key, version: version) }
  private func wrong(_ key: String, _ version: String = "v1") -> WrongRow {
    WrongRow(row: row(key, version), kind: .incorrect, from: "AUTH", to: "2")
  }

  @Test("a suspect is due when its position is passed, the first seen first")
  func due() {
    var book = SuspectBook()
    _ = book.note([row("b"), row("a")], at: lsn(10))
    _ = book.note([row("c")], at: lsn(20))
    #expect(book.due(lsn(9), most: 9) == [])
    #expect(book.due(lsn(10), most: 9).map(\.row.key) == ["a", "b"])
    #expect(book.due(lsn(20), most: 1).map(\.row.key) == ["a"])
    #expect(book.earliest == lsn(10) && book.latest == lsn(20))
  }

  @Test("wrong in the same version is wrong, in another a suspect again, otherwise settled")
  func judged() {
    var book = SuspectBook()
    _ = book.note([row("same"), row("moved"), row("right")], at: lsn(10))
    let judgement = book.judge(
      book.due(lsn(10), most: 9), wrong: ["same": wrong("same"), "moved": wrong("moved", "v2")], at: lsn(30))
    #expect(judgement.settled == ["right"])
    #expect(
      judgement.wrong == [.init(kind: .incorrect, key: "same", from: "AUTH", to: "2", seen: lsn(10))])
    #expect(judgement.moved == [.init(row: row("moved", "v2"), seen: lsn(30), looks: 1)])
    #expect(book.count == 1 && book.due(lsn(29), most: 9) == [])
  }

  @Test("a suspect seen again in its version keeps the position at which it was seen first")
  func seenAgain() {
    var book = SuspectBook()
    _ = book.note([row("a")], at: lsn(10))
    let known = book.note([row("a")], at: lsn(50))
    #expect(known == [])
    #expect(book.latest == lsn(10))
    let newer = book.note([row("a", "v2")], at: lsn(50))
    #expect(newer.count == 1)
    #expect(book.earliest == lsn(50))
  }

  @Test("pages grow by half at most, shrink to fit, and stop at their bounds")
  func pageSize() {
    var size = PageSize(target: .milliseconds(100), most: 2000)
    #expect(size.rows == 1000)
    size.note(.milliseconds(1), rows: 1000)
    #expect(size.rows == 1500)
    size.note(.milliseconds(1), rows: 10)
    #expect(size.rows == 1500)
    size.note(.milliseconds(1), rows: 1500)
    #expect(size.rows == 2000)
    size.note(.milliseconds(200), rows: 2000)
    #expect(size.rows == 1000)
    size.note(.seconds(100), rows: 1000)
    #expect(size.rows == 200)
    let sizes = (0..<3).map { _ in (size.timedOut(), size.rows) }
    #expect(sizes.map(\.0) == [true, true, false])
    #expect(sizes.map(\.1) == [20, 10, 10])
  }

  @Test("at a tenth of the time pages are a tenth as long, with nine times as much rest between them")
  func pace() {
    var options = VerifyOptions()
    #expect(options.pageAim == .milliseconds(250) && options.rest(after: .seconds(1)) == .zero)
    options.pace = 0.1
    #expect(options.pageAim == .milliseconds(25))
    #expect(abs(options.rest(after: .milliseconds(20)) / .milliseconds(180) - 1) < 0.001)
    options.pace = 0
    #expect(options.pageAim == .milliseconds(5) && options.rest(after: .seconds(1)) == .seconds(99))
  }

  @Test("patience lasts as long as the stream moves; once spent it comes back when the stream does")
  func patience() {
    let start = ContinuousClock.now
    var patience = Patience(limit: .seconds(10), now: start)
    var answers = [9, 18, 19].map { patience.waits(applied: lsn(1), now: start + .seconds($0)) }
    patience.begin(now: start + .seconds(30))
    answers.append(patience.waits(applied: lsn(1), now: start + .seconds(31)))
    answers.append(patience.waits(applied: lsn(2), now: start + .seconds(32)))
    #expect(answers == [true, true, false, false, true])
  }

  @Test("draws repeat by their seed, stay within each partition, and reach all of it")
  func draws() {
    let leaves = [SampleDraw.Leaf(oid: 1, blocks: 3), .init(oid: 2, blocks: 0), .init(oid: 3, blocks: 9)]
    var draw = SampleDraw(leaves: leaves, blockSize: 8192, seed: 7)
    var same = SampleDraw(leaves: leaves, blockSize: 8192, seed: 7)
    let drawn = draw.next(40_000)
    let repeated = same.next(40_000)
    #expect(drawn == repeated)
    #expect(Set(drawn.keys) == [1, 3])
    #expect(abs(Double(drawn[1]?.count ?? 0) - 10_000) < 500)
    // Three blocks of 291 places: all of them, and no other.
    let places = Set(drawn[1] ?? [])
    #expect(places.count == 873)
    #expect(places.contains("(0,1)") && places.contains("(2,291)"))
    #expect(!places.contains { $0.hasPrefix("(3,") || $0.hasSuffix(",292)") || $0.hasSuffix(",0)") })
    var none = SampleDraw(leaves: [], blockSize: 8192, seed: 7)
    let nothing = none.next(5)
    #expect(none.isEmpty && nothing == [:])
  }

  @Test("a standing says what is verified as of a position, and if not, why")
  func standing() {
    var state = PassState(fingerprint: "f", since: lsn(100), bound: ["9"], expected: 9)
    state.lastKey = ["4"]
    func verdict(_ position: UInt64, suspects: Int64 = 0) -> VerifiedStanding.Verdict {
      VerifiedStanding(state, suspects: suspects).verdict(at: lsn(position))
    }
    #expect(verdict(50) == .unfinished(lastKey: ["4"]))
    state.finished = true
    #expect(verdict(100) == .verified)
    #expect(verdict(101) == .behind(through: lsn(100)))
    state.followed = lsn(200)
    #expect(verdict(200) == .verified)
    #expect(verdict(150, suspects: 2) == .undecided(2))
    state.found.undecided = 1
    #expect(verdict(150, suspects: 2) == .undecided(3))
    state.found.counts = [.orphan: 4]
    #expect(verdict(150) == .differences(4))
    state.invalid = "the map has changed"
    #expect(verdict(150) == .invalid(reason: "the map has changed"))
  }
}
