import Operations
import Testing

@Suite("A table")
struct TableTests {
  private var segments: Table {
    var table = Table([.text("segment"), .number("bytes"), .text("state"), .number("changes")])
    table.append(["0000000001A2B3C4.lz4", "64.0 MiB", "sealed", "1,234,567"])
    table.append(["0000000005000000.lz4", "512 B", "open", "9"])
    return table
  }

  @Test("has its texts to the left, its numbers to the right, and no space at the ends of lines")
  func alignment() {
    #expect(
      segments.rendered() == """
        segment                  bytes  state     changes
        0000000001A2B3C4.lz4  64.0 MiB  sealed  1,234,567
        0000000005000000.lz4     512 B  open            9
        """)
    var table = Table([.text("a"), .text("b")])
    table.append(["x", ""])
    #expect(table.rendered() == "a  b\nx")
  }

  @Test("cuts its widest texts to fit, and never a number")
  func narrow() {
    #expect(
      segments.rendered(width: 42) == """
        segment           bytes  state     changes
        0000000001...  64.0 MiB  sealed  1,234,567
        0000000005...     512 B  open            9
        """)
    #expect(segments.rendered(width: 5).contains("1,234,567"))
  }

  @Test("counts columns as a terminal does, and shows control characters")
  func cells() {
    var table = Table([.text("status"), .number("rows")])
    table.append(["決済", "1"])
    table.append(["re\u{301}gle\u{301}", "20"])
    table.append(["a\nb\u{1B}[2J", "3"])
    table.append(["🏦", "4", "surplus"])
    table.append([])
    #expect(
      table.rendered() == """
        status         rows
        決済              1
        re\u{301}gle\u{301}            20
        a\\nb\\u{1b}[2J     3
        🏦                4

        """)
  }

  @Test("without rows is its headings, without columns nothing")
  func empty() {
    #expect(Table([.text("a"), .number("b")]).rendered() == "a  b")
    #expect(Table([]).rendered() == "")
  }
}
