import Glibc

/// This process's environment variables.
enum ProcessEnvironment {
  /// All of them, in the order in which the system holds them.
  static func entries() -> [(name: String, value: String)] {
    var entries: [(name: String, value: String)] = []
    var cursor = environ
    while let entry = cursor.pointee {
      let text = String(cString: entry)
      if let split = text.firstIndex(of: "=") {
        entries.append((String(text[..<split]), String(text[text.index(after: split)...])))
      }
      cursor += 1
    }
    return entries
  }

  /// One variable; nil when it is not set or empty.
  static func value(_ name: String) -> String? {
    guard let raw = getenv(name) else { return nil }
    let value = String(cString: raw)
    return value.isEmpty ? nil : value
  }
}
