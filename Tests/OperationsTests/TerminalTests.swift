import Glibc
import Operations
import Testing

@Suite("What a terminal can show")
struct TerminalTests {
  @Test("a terminal rewrites lines and has colours")
  func plain() {
    let terminal = Terminal(isTTY: true, columns: 120, environment: ["TERM": "xterm-256color"])
    #expect(terminal.width == 120)
    #expect(terminal.rewritesLines)
    #expect(terminal.usesColor)
  }

  @Test("NO_COLOR takes colour away, empty it does not")
  func noColor() {
    let terminal = Terminal(isTTY: true, columns: 120, environment: ["NO_COLOR": "1"])
    #expect(terminal.rewritesLines)
    #expect(!terminal.usesColor)
    #expect(Terminal(isTTY: true, columns: 120, environment: ["NO_COLOR": ""]).usesColor)
  }

  @Test("a dumb terminal and a pipe rewrite nothing")
  func dumb() {
    for terminal in [Terminal(isTTY: true, columns: 80, environment: ["TERM": "dumb"]), .piped] {
      #expect(!terminal.rewritesLines)
      #expect(!terminal.usesColor)
    }
  }

  @Test("the width is what the terminal says, else COLUMNS, else 80")
  func width() {
    #expect(Terminal(isTTY: true, columns: 100, environment: ["COLUMNS": "132"]).width == 100)
    #expect(Terminal(isTTY: true, columns: 0, environment: ["COLUMNS": "132"]).width == 132)
    #expect(Terminal(isTTY: false, columns: nil, environment: ["COLUMNS": "wide"]).width == 80)
    #expect(Terminal(isTTY: false, columns: nil, environment: ["COLUMNS": "-5"]).width == 80)
  }

  @Test("a pipe is none, and a pseudo-terminal tells its width")
  func real() throws {
    let pipe = try CapturedPipe()
    #expect(!Terminal(fileDescriptor: pipe.writeEnd, environment: [:]).isTTY)

    // The multiplexer's end of a pseudo-terminal is a terminal itself on Linux.
    let side = open("/dev/ptmx", O_RDWR | O_NOCTTY)
    try #require(side >= 0)
    defer { close(side) }
    var size = winsize(ws_row: 40, ws_col: 97, ws_xpixel: 0, ws_ypixel: 0)
    try #require(ioctl(side, UInt(TIOCSWINSZ), &size) == 0)
    let terminal = Terminal(fileDescriptor: side, environment: ["TERM": "xterm"])
    #expect(terminal.isTTY)
    #expect(terminal.width == 97)
  }
}
