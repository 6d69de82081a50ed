import Testing

@testable import DualWrite

/// A change, and what follows from it.
private struct Case: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var sight: Sight
  var verdict: Verdict

  init(_ description: String, _ kind: Verdict.Kind, _ course: Verdict.Course, _ change: (inout Sight) -> Void)
  {
    testDescription = description
    sight = Sight()
    sight.agreement = .differs(fromKnown: true, toKnown: true)
    change(&sight)
    verdict = Verdict(kind, course)
  }
}

private let cases = [
  Case("only the old column moved", .old, .derive(.forward)) { $0.fromMoved = true },
  Case("only the new one", .new, .derive(.reverse)) { $0.toMoved = true },
  Case("both, in contradiction", .conflict, .refuse(.contradiction)) {
    ($0.fromMoved, $0.toMoved) = (true, true)
  },
  Case("both, in agreement", .both, .settle) { sight in
    (sight.fromMoved, sight.toMoved, sight.agreement) = (true, true, .agrees)
  },
  Case("neither", .other, .keep) { _ in },
  Case("the new one lost its value", .old, .derive(.forward)) { sight in
    (sight.toMoved, sight.toIsNull, sight.agreement) = (true, true, .differs(fromKnown: true, toKnown: false))
  },
  Case("a status that the map does not know", .old, .refuse(.unknownStatus)) { sight in
    (sight.fromMoved, sight.agreement) = (true, .differs(fromKnown: false, toKnown: true))
  },
  Case("a state that it does not know", .new, .refuse(.unknownState)) { sight in
    (sight.toMoved, sight.agreement) = (true, .differs(fromKnown: true, toKnown: false))
  },
  Case("an insert without the new column", .old, .derive(.forward)) { sight in
    (sight.isInsert, sight.hasBefore, sight.toIsNull) = (true, false, true)
    sight.agreement = .differs(fromKnown: true, toKnown: false)
  },
  Case("an insert that leaves the old one to its default", .new, .derive(.reverse)) { sight in
    (sight.isInsert, sight.hasBefore, sight.fromIsBlank) = (true, false, true)
  },
  Case("an insert that leaves the old one to its default, which happens to be right", .other, .settle) {
    sight in
    (sight.isInsert, sight.hasBefore, sight.fromIsBlank, sight.agreement) = (true, false, true, .agrees)
  },
  Case("an insert of both, in agreement", .both, .settle) { sight in
    (sight.isInsert, sight.hasBefore, sight.agreement) = (true, false, .agrees)
  },
  Case("an insert of neither", .old, .derive(.forward)) { sight in
    (sight.isInsert, sight.hasBefore, sight.toIsNull, sight.fromIsBlank) = (true, false, true, true)
    sight.agreement = .differs(fromKnown: true, toKnown: false)
  },
  Case("an update without its old row, in agreement", .both, .settle) { sight in
    (sight.hasBefore, sight.fromIsBlank, sight.agreement) = (false, true, .agrees)
  },
  Case("an insert that contradicts itself", .conflict, .refuse(.contradiction)) { sight in
    (sight.isInsert, sight.hasBefore) = (true, false)
  },
  Case("a row that changed partition, not its pair", .other, .keep) { sight in
    (sight.isInsert, sight.fromIsBlank) = (true, true)
  },
  Case("no old row to compare with, and a pair that does not agree", .conflict, .refuse(.untold)) {
    $0.hasBefore = false
  },
  Case("the same beside a bridge, by which no old rows come", .conflict, .refuse(.unbridged)) {
    ($0.hasBefore, $0.isBridged) = (false, true)
  },
  Case("the old column is a TOASTed value that was not sent, the new one moved", .new, .derive(.reverse)) {
    sight in
    (sight.toMoved, sight.agreement) = (true, .untold)
  },
]

@Suite("What follows from one change") struct VerdictTests {
  @Test("the column that moved decides", arguments: cases)
  private func rules(_ rule: Case) { #expect(Verdict(rule.sight) == rule.verdict) }
}
