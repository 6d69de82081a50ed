import Migration
import Operations

/// Evidence as Markdown (CommonMark with tables). Whatever stands in the account, it stays text.
struct EvidenceMarkdown {
  let evidence: Evidence
  /// The line that tells when it was made; the only one that differs between two reports of the same account.
  let dateLine: String

  var text: String {
    var lines = ["# Migration \(Self.inline(evidence.derivation))", "", Self.inline(dateLine), "", seal, ""]
    for section in evidence.sections {
      lines += ["## \(section.title)", ""]
      for sentence in section.sentences { lines += [Self.inline(sentence, keepsCode: true), ""] }
      if !section.facts.isEmpty {
        lines += ["| | |", "|---|---|"]
        lines += section.facts.map { "| \(Self.inline($0.label)) | \(Self.cell($0.value)) |" }
        lines.append("")
      }
      for table in section.tables {
        if let caption = table.caption { lines += [Self.inline(caption, keepsCode: true), ""] }
        lines += (table.isLong ? Self.long(table) : Self.grid(table)) + [""]
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The first thing an auditor asks.
  private var seal: String {
    guard let end = evidence.end else { return "**The audit trail could not be read.**" }
    guard evidence.faults.isEmpty else {
      return "**The chain of hashes does not hold:** "
        + evidence.faults.map { Self.inline($0) }.joined(separator: "; ")
    }
    return
      "**The chain of hashes holds:** \(HumanFormat.count(end.rows)) \(end.rows == 1 ? "row" : "rows"), ending with "
      + Self.code(end.hash)
  }

  private static func grid(_ table: Evidence.Table) -> [String] {
    let titles = table.columns.map { inline($0) }.joined(separator: " | ")
    let rules = table.columns.indices.map { index in
      table.rows.contains { if case .number = $0[index] { true } else { false } } ? "---:" : "---"
    }
    return ["| \(titles) |", "|\(rules.joined(separator: "|"))|"]
      + table.rows.map { row in "| \(row.map(cell).joined(separator: " | ")) |" }
  }

  private static func long(_ table: Evidence.Table) -> [String] {
    var lines: [String] = []
    for row in table.rows {
      let heading = row.prefix(3).map { plain($0) }.joined(separator: "  ")
      lines += ["### \(inline(heading))", ""]
      var blocks: [String] = []
      for (title, value) in zip(table.columns, row).dropFirst(3) {
        switch value {
        case .none: continue
        case .code(let text): blocks += fence(text)
        default: lines.append("- \(inline(title)): \(cell(value))")
        }
      }
      lines += [""] + blocks
    }
    return lines
  }

  private static func plain(_ cell: Evidence.Cell) -> String {
    switch cell {
    case .text(let text), .code(let text): text
    case .number(let number): HumanFormat.count(number)
    case .none: "-"
    }
  }

  private static func cell(_ cell: Evidence.Cell) -> String {
    switch cell {
    case .code(let text): code(text)
    default: inline(plain(cell))
    }
  }

  /// Text that Markdown and HTML find nothing in, and that can still be read as it is: only what means something is escaped.
  ///
  /// - Parameter keepsCode: our own sentences name commands between backticks.
  static func inline(_ text: String, keepsCode: Bool = false) -> String {
    let scalars = Array(VisibleText.make(text).unicodeScalars)
    var result = ""
    for (index, scalar) in scalars.enumerated() {
      let before = index > 0 ? scalars[index - 1] : " "
      let after = index + 1 < scalars.count ? scalars[index + 1] : " "
      switch scalar {
      case "`" where keepsCode: result += "`"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      // Inside of a word it is no emphasis.
      case "_" where !isWord(before) || !isWord(after): result += "\\_"
      // Some readers make links of addresses by themselves.
      case ":" where after == "/": result += "&#58;"
      case "." where before == "w" || before == "W": result += "&#46;"
      case "@" where scalars[index...].contains("."): result += "&#64;"
      case "\\", "`", "*", "[", "]", "|", "~", "$":
        result += "\\"
        result.unicodeScalars.append(scalar)
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || scalar == "_"
  }

  /// A span of code between more backticks than it holds, on one line; a pipe would end a table's cell even there.
  private static func code(_ text: String) -> String {
    let shown = VisibleText.make(text).replacing("|", with: "\\|")
    let ticks = String(repeating: "`", count: longestRun(of: "`", in: shown) + 1)
    return "\(ticks) \(shown) \(ticks)"
  }

  private static func fence(_ text: String) -> [String] {
    let shown = VisibleText.make(text, keepsLines: true)
    let ticks = String(repeating: "`", count: max(3, longestRun(of: "`", in: shown) + 1))
    return ["\(ticks)text", shown, ticks, ""]
  }

  private static func longestRun(of character: Character, in text: String) -> Int {
    var (longest, run) = (0, 0)
    for found in text {
      run = found == character ? run + 1 : 0
      longest = max(longest, run)
    }
    return longest
  }
}
