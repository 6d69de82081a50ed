import Foundation
import Operations

/// Asks whether to go on: by an option that names the object, or on a terminal.
struct Confirmation: Sendable {
  /// What the option names; nil where it was not given.
  let given: String?
  /// The option that names it.
  var option = "--confirm"
  /// With `--json` nobody is asked.
  let isQuiet: Bool

  /// Whether it is confirmed.
  ///
  /// - Parameters:
  ///   - name: what has to be named.
  ///   - what: what is to be written on a terminal: "the column that goes".
  func ask(_ name: String, what: String) -> Bool {
    if let given { return given == name }
    guard !isQuiet, isatty(STDIN_FILENO) == 1 else {
      LineSink.standardError.write(
        line: "nothing was done: to do it, add \(option) \(ShellWord.of(name))")
      return false
    }
    LineSink.standardError.write(line: "to do it, write \(what) (\(name)):")
    return readLine() == name
  }
}
