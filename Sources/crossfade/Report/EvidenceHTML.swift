import Migration
import Operations

/// Evidence as one HTML file: no script, nothing fetched, for screens bright and dark and for paper.
struct EvidenceHTML {
  let evidence: Evidence
  /// The line that tells when it was made.
  let dateLine: String

  var text: String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
    <meta name="color-scheme" content="light dark">
    <title>Migration \(Self.escape(evidence.derivation))</title>
    <style>
    \(EvidenceStyle.text)
    </style>
    </head>
    <body>
    <header>
    <p class="eyebrow">Crossfade: evidence of a migration</p>
    <h1>\(Self.escape(evidence.derivation))</h1>
    <p class="date">\(Self.escape(dateLine))</p>
    \(seal)
    </header>
    <nav aria-label="Contents"><ol>
    \(evidence.sections.map { "<li><a href=\"#\($0.id)\">\(Self.escape($0.title))</a></li>" }.joined(separator: "\n"))
    </ol></nav>
    <main>
    \(evidence.sections.map(Self.section).joined(separator: "\n"))
    </main>
    </body>
    </html>

    """
  }

  /// The first thing an auditor asks.
  private var seal: String {
    guard let end = evidence.end else {
      return "<p class=\"seal bad\">The audit trail could not be read.</p>"
    }
    let rows = "\(HumanFormat.count(end.rows)) \(end.rows == 1 ? "row" : "rows")"
    return evidence.faults.isEmpty
      ? "<p class=\"seal good\">The chain of hashes holds: \(rows), ending with <code>\(Self.escape(end.hash))</code></p>"
      : "<p class=\"seal bad\">The chain of hashes does not hold: \(evidence.faults.map(Self.escape).joined(separator: "; "))</p>"
  }

  private static func section(_ section: Evidence.Section) -> String {
    var parts = ["<section id=\"\(section.id)\">", "<h2>\(escape(section.title))</h2>"]
    parts += section.sentences.map { "<p>\(sentence($0))</p>" }
    if !section.facts.isEmpty {
      parts.append("<dl>")
      parts += section.facts.map { "<div><dt>\(escape($0.label))</dt><dd>\(cell($0.value))</dd></div>" }
      parts.append("</dl>")
    }
    for table in section.tables {
      if let caption = table.caption { parts.append("<p class=\"caption\">\(sentence(caption))</p>") }
      parts.append(table.isLong ? long(table) : grid(table))
    }
    return (parts + ["</section>"]).joined(separator: "\n")
  }

  private static func grid(_ table: Evidence.Table) -> String {
    let heads = table.columns.enumerated().map { index, title in
      let isNumber = table.rows.contains { if case .number = $0[index] { true } else { false } }
      return "<th scope=\"col\"\(isNumber ? " class=\"number\"" : "")>\(escape(title))</th>"
    }.joined()
    let rows = table.rows.map { row in
      let cells = row.enumerated().map { index, value in
        if case .number = value { return "<td class=\"number\">\(cell(value))</td>" }
        return "<td>\(index == table.kind ? mark(value) : cell(value))</td>"
      }
      return "<tr>\(cells.joined())</tr>"
    }
    return "<div class=\"grid\"><table><thead><tr>\(heads)</tr></thead><tbody>\n"
      + rows.joined(separator: "\n") + "\n</tbody></table></div>"
  }

  /// A row by itself, under its first three values.
  private static func long(_ table: Evidence.Table) -> String {
    table.rows.map { row -> String in
      var facts: [String] = []
      var blocks: [String] = []
      for (title, value) in zip(table.columns, row).dropFirst(3) {
        switch value {
        case .none: continue
        case .code(let text):
          blocks.append("<pre tabindex=\"0\">\(escape(text, keepsLines: true))</pre>")
        default: facts.append("<div><dt>\(escape(title))</dt><dd>\(cell(value))</dd></div>")
        }
      }
      let head = row.prefix(3).enumerated().map { index, value in
        index == table.kind ? mark(value) : "<span>\(cell(value))</span>"
      }
      return "<article><h3>\(head.joined(separator: " "))</h3>\n<dl>\(facts.joined())</dl>\n"
        + blocks.joined(separator: "\n") + "</article>"
    }.joined(separator: "\n")
  }

  private static let good = ["done", "passed", "phase"]
  private static let bad = ["failed"]

  private static func mark(_ value: Evidence.Cell) -> String {
    guard case .text(let word) = value else { return cell(value) }
    let tone = good.contains(word) ? " good" : bad.contains(word) ? " bad" : ""
    return "<span class=\"mark\(tone)\">\(escape(word))</span>"
  }

  private static func cell(_ cell: Evidence.Cell) -> String {
    switch cell {
    case .text(let text): escape(text)
    case .code(let text): "<code>\(escape(text))</code>"
    case .number(let number): HumanFormat.count(number)
    case .none: "<span class=\"none\">-</span>"
    }
  }

  /// One of our own, with commands between backticks.
  private static func sentence(_ text: String) -> String {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated().map { index, part in
      index.isMultiple(of: 2) ? escape(String(part)) : "<code>\(escape(String(part)))</code>"
    }.joined()
  }

  /// Text that HTML finds nothing in, between tags or in a quoted attribute.
  static func escape(_ text: String) -> String { escape(text, keepsLines: false) }

  private static func escape(_ text: String, keepsLines: Bool) -> String {
    var result = ""
    for scalar in VisibleText.make(text, keepsLines: keepsLines).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
