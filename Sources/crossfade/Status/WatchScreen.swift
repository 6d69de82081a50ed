import Glibc
import Operations

/// Shows one text after the other: in the place of the last on a terminal, below it elsewhere.
final class WatchScreen {
  private let sink = LineSink(fileDescriptor: STDOUT_FILENO)
  private let inPlace: Bool
  private var isFirst = true

  /// - Parameter inPlace: whether the terminal can be written over (ECMA-48 `CUP`, `EL`, `ED`).
  init(inPlace: Bool) {
    self.inPlace = inPlace
  }

  func show(_ text: String) {
    guard inPlace else { return sink.write(line: text) }
    // Over the old text, each line cleared to its end: nothing flickers.
    let clear = isFirst ? "\u{1B}[2J" : ""
    isFirst = false
    sink.write(line: "\(clear)\u{1B}[H" + text.replacing("\n", with: "\u{1B}[K\n") + "\u{1B}[K\u{1B}[J")
  }
}
