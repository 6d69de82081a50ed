import Glibc

/// What `/proc` tells about other processes.
enum ProcessTree {
  /// The processes whose parent is `pid`.
  static func children(of pid: pid_t) -> [pid_t] {
    ExecutableSearch.entries(of: "/proc").compactMap { pid_t($0) }.filter { facts($0)?.parent == pid }
  }

  /// Whether it has ended; one that nobody has reaped yet has.
  static func hasEnded(_ pid: pid_t) -> Bool {
    guard let facts = facts(pid) else { return true }
    return facts.state == "Z" || facts.state == "X"
  }

  /// `proc(5)`, `/proc/PID/stat`: pid, name in parentheses (which may hold parentheses), state, parent.
  private static func facts(_ pid: pid_t) -> (state: Character, parent: pid_t)? {
    guard let text = TextFile.read("/proc/\(pid)/stat"), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    guard fields.count >= 2, let state = fields[0].first, let parent = pid_t(fields[1]) else { return nil }
    return (state, parent)
  }
}
