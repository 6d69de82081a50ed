import ChangeLog
import Derivation
import Glibc

/// What of the change log is kept, and how it is archived.
struct LogKeepingFacts: Equatable, Sendable {
  var retain = SlotDefinition.Retain()
  var archive: Command?
  var restore: Command?
  /// The log's directory, where the shell would not read its path as what it is.
  var oddDirectory: String?

  /// A shell command.
  struct Command: Equatable, Sendable {
    /// What stands first in it.
    var word: String
    var found: Found

    enum Found: Equatable, Sendable {
      /// A program, at this path.
      case program(String)
      /// Something of the shell's own, or more than a word: not to be told here.
      case shell
      case nothing
    }
  }

  func findings(bytes: UInt64, free: UInt64, segment: UInt64) -> [Finding] {
    [retention(bytes: bytes, free: free, segment: segment)] + archiving
      + [command("log restore", restore)].compactMap { $0 }
  }

  private func retention(bytes: UInt64, free: UInt64, segment: UInt64) -> Finding {
    let subject = "log retention"
    guard !retain.keepsAll else {
      let found = "everything is kept: \(Sizes.text(bytes)) so far, \(Sizes.text(free)) free"
      guard bytes > free else { return .pass(subject, found) }
      return .warn(
        subject, found,
        fix: "give log.retain an age or a size, and log.archive a command where the log must last longer")
    }
    var rules: [String] = []
    if let age = retain.age { rules.append("after \(age)") }
    if let size = retain.size { rules.append("beyond \(size)") }
    let found = "segments are dropped \(rules.joined(separator: ", and "))"
    // What is sealed goes; what is being written, and what is next to it, stays.
    if let size = retain.size, UInt64(clamping: size.bytes) > bytes &+ free {
      return .warn(
        subject, "\(found), and the disk has room for \(Sizes.text(bytes &+ free))",
        fix: "lower log.retain.size, or use a larger disk")
    }
    if let size = retain.size, UInt64(clamping: size.bytes) < 2 * segment {
      return .warn(
        subject, "\(found), less than two segments of \(Sizes.text(segment))",
        fix: "lower log.segment: only whole segments are dropped, never the last")
    }
    return .pass(subject, found)
  }

  private var archiving: [Finding] {
    if let oddDirectory {
      return [
        .fail(
          "log archive", "\(oddDirectory) holds characters that the shell would read in a command",
          fix: "use a log.directory of letters, digits and / . _ - : @ , =")
      ]
    }
    guard let archive else { return [] }
    guard let found = command("log archive", archive), found.level == .pass else {
      return [command("log archive", archive)].compactMap { $0 }
    }
    guard restore == nil, !retain.keepsAll else { return [found] }
    return [
      .warn(
        "log archive",
        "\(found.found); segments are dropped when it has ended with status 0, on its word alone",
        fix: "give log.restore: each segment is then brought back once and compared before it may go")
    ]
  }

  private func command(_ subject: String, _ command: Command?) -> Finding? {
    guard let command else { return nil }
    switch command.found {
    case .program(let path): return .pass(subject, "runs \(path)")
    case .shell: return .pass(subject, "runs the shell; what it calls is not looked up")
    case .nothing:
      return .fail(
        subject, "\(command.word) is not to be found, or not executable",
        fix: "name a program by its path, or one that stands in PATH of the user who runs crossfade")
    }
  }
}

extension LogKeepingFacts {
  init(_ log: SlotDefinition.Log) {
    retain = log.retain
    archive = log.archive.map(Command.init)
    restore = log.restore.map(Command.init)
    let hasCommand = log.archive != nil || log.restore != nil
    oddDirectory = hasCommand && !ShellTemplate.admits(path: log.directory) ? log.directory : nil
  }
}

extension LogKeepingFacts.Command {
  private static let shellWords: Set<String> = [
    ".", ":", "[", "!", "{", "case", "cd", "command", "eval", "exec", "exit", "export", "for", "if", "set",
    "test",
    "trap", "true", "false", "umask", "until", "while",
  ]

  init(_ text: String) {
    word = text.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
    let plain = word.utf8.allSatisfy { byte in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || Array("/._-+".utf8).contains(byte)
    }
    if !plain || Self.shellWords.contains(word) {
      found = .shell
    } else {
      found = Self.program(word).map { .program($0) } ?? .nothing
    }
  }

  private static func program(_ word: String) -> String? {
    guard !word.contains("/") else { return access(word, X_OK) == 0 ? word : nil }
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    return path.split(separator: ":").map { "\($0)/\(word)" }.first { access($0, X_OK) == 0 }
  }
}
