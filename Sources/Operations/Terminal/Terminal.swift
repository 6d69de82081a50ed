internal import Glibc

/// What the other end of a file descriptor can show.
public struct Terminal: Hashable, Sendable {
  /// Whether a person looks at it, and not a file or a pipe.
  public var isTTY: Bool
  /// Its width in columns; 80 where nobody says.
  public var width: Int
  /// Whether a line on it can be written again in place.
  public var rewritesLines: Bool
  /// Whether it may be written to in colour.
  public var usesColor: Bool

  /// A terminal from its facts.
  ///
  /// - Parameters:
  ///   - isTTY: Whether the descriptor is a terminal.
  ///   - columns: The width that the terminal reports; nil or zero when it reports none.
  ///   - environment: `TERM=dumb` takes line rewriting and colour away, `NO_COLOR` (set to anything) takes colour
  ///     away (no-color.org), and `COLUMNS` is the width where the terminal reports none.
  public init(isTTY: Bool, columns: Int?, environment: [String: String]) {
    let reported = [columns, environment["COLUMNS"].flatMap { Int($0) }].compactMap { $0 }.first { $0 > 0 }
    self.isTTY = isTTY
    width = reported ?? 80
    rewritesLines = isTTY && environment["TERM", default: ""] != "dumb"
    usesColor = rewritesLines && environment["NO_COLOR", default: ""].isEmpty
  }

  /// What stands behind a file descriptor just now; ask again after a change of the window.
  public init(fileDescriptor: Int32, environment: [String: String]) {
    let isTTY = isatty(fileDescriptor) == 1
    var size = winsize()
    let isKnown = isTTY && ioctl(fileDescriptor, UInt(TIOCGWINSZ), &size) == 0
    self.init(isTTY: isTTY, columns: isKnown ? Int(size.ws_col) : nil, environment: environment)
  }

  /// A file or a pipe: no width that matters, nothing in place.
  public static let piped = Terminal(isTTY: false, columns: nil, environment: [:])
}
