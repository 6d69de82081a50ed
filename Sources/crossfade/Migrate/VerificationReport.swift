import Derivation
import Migration
import Operations

/// A verification, as text and as JSON.
struct VerificationReport {
  private let result: Verification
  private let derive: SlotDefinition.Derive
  private let scope: VerifyScope

  init(_ result: Verification, derive: SlotDefinition.Derive, scope: VerifyScope) {
    self.result = result
    self.derive = derive
    self.scope = scope
  }

  var text: String {
    var lines = [summary]
    if result.settled > 0 {
      lines.append(
        "\(HumanFormat.count(result.settled)) had not arrived yet when first seen, and were right after")
    }
    if result.resumed > 0 {
      lines.append("\(HumanFormat.count(result.resumed)) of them were looked at by a run before this one")
    }
    if let proof { lines.append(proof) }
    if let witness = result.witness { lines.append("judged at \(witness)") }
    lines += result.map.map { "map: \($0)" }
    lines += result.notes.map { "note: \($0)" }
    if result.mismatches > 0 {
      lines += [
        "", Self.classes(result.counts), "",
        Self.rows(result.first, derive, of: result.mismatches),
      ]
    }
    return lines.joined(separator: "\n")
  }

  private var summary: String {
    var rest = [result.mismatches == 0 ? "none is wrong" : Self.count(result.mismatches, "wrong")]
    if result.undecided > 0 { rest.append(Self.count(result.undecided, "undecided")) }
    return "\(title): \(HumanFormat.count(result.rows)) rows looked at, " + rest.joined(separator: ", ")
  }

  private static func count(_ rows: Int64, _ what: String) -> String {
    "\(HumanFormat.count(rows)) \(rows == 1 ? "is" : "are") \(what)"
  }

  private var title: String {
    switch scope {
    case .whole: "\(derive.table)"
    case .recent(let seconds):
      "\(derive.table), touched within \(HumanFormat.wholeSeconds(.seconds(seconds)))"
    case .sample: "\(derive.table), a sample"
    }
  }

  private var proof: String? {
    guard let sample = result.sample, result.rows > 0 else { return nil }
    let seed = "; --seed \(sample.seed) draws it again"
    guard result.mismatches == 0, result.undecided == 0, let bound = SampleProof.bound(rows: result.rows)
    else { return "of such a sample no bound can be told\(seed)" }
    return
      "so, with 95 % confidence, fewer than 1 row in \(HumanFormat.count(Int64(1 / bound))) is wrong\(seed)"
  }

  /// How many rows are wrong, and how.
  static func classes(_ counts: [Verification.Class: Int64]) -> String {
    var table = Table([.text("class"), .number("rows"), .text("meaning")])
    for kind in Verification.Class.allCases {
      guard let count = counts[kind], count > 0 else { continue }
      table.append([kind.rawValue, HumanFormat.count(count), kind.meaning])
    }
    return table.rendered()
  }

  /// The first of them.
  static func rows(
    _ first: [Verification.Mismatch], _ derive: SlotDefinition.Derive, of count: Int64
  ) -> String {
    var table = Table([
      .text("key"), .text("class"), .text(derive.from.name), .text(derive.to.name), .text("seen at"),
    ])
    for row in first {
      table.append([
        row.key, row.kind.rawValue, row.from.map { "'\($0)'" } ?? "NULL", row.to ?? "NULL",
        row.seen.map { "\($0)" } ?? "-",
      ])
    }
    let more = count - Int64(first.count)
    return table.rendered() + (more > 0 ? "\nand \(HumanFormat.count(more)) more" : "")
  }

  var json: JSONValue {
    .object([
      ("scope", .string(scope.name)), ("rows", .integer(result.rows)),
      ("resumed", .integer(result.resumed)), ("mismatches", .integer(result.mismatches)),
      ("by_class", Self.json(result.counts)), ("settled", .integer(result.settled)),
      ("undecided", .integer(result.undecided)),
      ("witness", result.witness.map { .string($0) } ?? .null),
      ("map", .array(result.map.map { .string($0) })), ("notes", .array(result.notes.map { .string($0) })),
      ("sample", sampleJSON), ("first", Self.json(result.first)),
    ])
  }

  private var sampleJSON: JSONValue {
    guard let sample = result.sample else { return .null }
    let isBound = result.mismatches == 0 && result.undecided == 0
    return .object([
      ("seed", .string("\(sample.seed)")), ("asked", .integer(sample.asked)),
      (
        "wrong_share_below",
        isBound ? SampleProof.bound(rows: result.rows).map { .number($0) } ?? .null : .null
      ),
    ])
  }

  static func json(_ counts: [Verification.Class: Int64]) -> JSONValue {
    .object(Verification.Class.allCases.map { ($0.rawValue, .integer(counts[$0] ?? 0)) })
  }

  static func json(_ first: [Verification.Mismatch]) -> JSONValue {
    .array(
      first.map { row in
        .object([
          ("class", .string(row.kind.rawValue)), ("key", .string(row.key)),
          ("from", row.from.map { .string($0) } ?? .null), ("to", row.to.map { .string($0) } ?? .null),
          ("seen", row.seen.map { .string("\($0)") } ?? .null),
        ])
      })
  }
}

extension VerifyScope {
  fileprivate var name: String {
    switch self {
    case .whole: "whole"
    case .recent: "recent"
    case .sample: "sample"
    }
  }
}

extension Verification.Class {
  /// What it means, for people.
  var meaning: String {
    switch self {
    case .incomplete: "no new value, though the map has one"
    case .incorrect: "not the value the map gives"
    case .orphan: "a value that is in no row of the map"
    case .unmapped: "the map has no such status; in quarantine"
    case .unlisted: "the map has no such status; not in quarantine"
    case .stale: "in quarantine, though right or gone: `crossfade quarantine retry`"
    }
  }
}
