import Derivation
import Testing

@testable import DualWrite

@Suite("What to do about the quarantine") struct QuarantineCauseTests {
  @Test(
    "each reason as it is written down has its cause",
    arguments: [
      (Verdict.Refusal.unknownStatus.reason, QuarantineCause.unknownStatus),
      (Verdict.Refusal.unknownState.reason + ": '77'", .unknownState),
      (Verdict.Refusal.contradiction.reason, .contradiction), (Verdict.Refusal.untold.reason, .untold),
      (Verdict.Refusal.unbridged.reason, .unbridged), (Verdict.Refusal.unsent.reason, .unsent),
      ("new row violates check constraint \"limited\" (SQLSTATE 23514)", .refused),
      ("of another program", nil),
    ] as [(String, QuarantineCause?)])
  func cause(_ reason: String, _ cause: QuarantineCause?) {
    #expect(QuarantineCause(reason: reason) == cause)
  }

  @Test("only while the old column alone counts does a retry derive: else the application is to write")
  func mend() throws {
    let derive = try SlotDefinition.Derive.example()
    #expect(
      QuarantineCause.unknownStatus.mend(derive, .forward)
        == "add it to public.transaction_state and derive.map.states, then `crossfade quarantine retry SLOT`")
    for cause in QuarantineCause.allCases {
      #expect(!cause.mend(derive, .both).contains("retry"), "\(cause)")
      #expect(cause.mend(derive, .both).contains("set "), "\(cause)")
    }
  }
}
