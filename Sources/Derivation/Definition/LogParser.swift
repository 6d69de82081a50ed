/// Reads `log:`.
extension DefinitionReader {
  mutating func log(_ root: Section) -> SlotDefinition.Log? {
    let example = "write `log:` with `directory: PATH` indented under it"
    guard let section = field(root, "log", required: example).flatMap({ section($0, .log) }) else {
      return nil
    }
    let hint = "write `directory: /var/lib/crossfade/NAME`"
    let directory = field(section, "directory", required: hint)
      .flatMap { expanded($0, "a directory", hint: hint) }
    let segment = field(section, "segment")
      .flatMap { size($0, in: ByteCount(bytes: 64 << 10)...ByteCount(bytes: 16 << 30)) }
    let retain = retain(section)
    let archive = field(section, "archive").flatMap { command($0, "cp %p /archive/%f") }
    let restore = field(section, "restore").flatMap { command($0, "cp /archive/%f %p") }
    let timeout = field(section, "command_timeout")
      .flatMap { duration($0, in: .seconds(1)...Milliseconds(24 * 3_600_000)) }
    guard let directory else { return nil }
    guard !directory.utf8.contains(0) else {
      if let field = section.fields["directory"] {
        report(field, "holds a NUL, which no path can", hint: "remove it")
      }
      return nil
    }
    return SlotDefinition.Log(
      directory: directory, segment: segment ?? .mebibytes(64), retain: retain, archive: archive,
      restore: restore, commandTimeout: timeout ?? .seconds(600))
  }

  private mutating func retain(_ log: Section) -> SlotDefinition.Retain {
    var retain = SlotDefinition.Retain()
    guard let section = optionalSection(log, "retain", .retain) else { return retain }
    let sizes = ByteCount(bytes: 64 << 10)...ByteCount(bytes: 1 << 50)
    retain.age = field(section, "age").flatMap {
      age($0, in: Age(seconds: 1)...Age(seconds: 36_500 * 86_400))
    }
    retain.size = field(section, "size").flatMap { size($0, in: sizes) }
    retain.readerLag = field(section, "reader_lag").flatMap { size($0, in: sizes) }
    if retain.keepsAll, retain.readerLag != nil, let field = section.fields["reader_lag"] {
      report(
        field, "is given without `age` or `size`, and then nothing is dropped",
        hint: "give `age: 30d` or `size: 100GiB` too, or remove it")
    }
    return retain
  }

  /// A shell command for a file. Its `$` is the shell's: variables are not put in here.
  private mutating func command(_ field: Field, _ example: String) -> String? {
    let must = "a shell command with `%p` (the file's path here) and `%f` (its name in the archive)"
    let hint = "write `\(example)`"
    guard let text = text(field, must, hint: hint) else { return nil }
    guard text.contains(where: { !$0.isWhitespace }), !text.utf8.contains(0) else {
      report(field, "is empty or holds a NUL, must be \(must)", hint: hint)
      return nil
    }
    var places: Set<Unicode.Scalar> = []
    var rest = text.unicodeScalars[...]
    while let percent = rest.firstIndex(of: "%") {
      rest = rest[rest.index(after: percent)...]
      let place = rest.popFirst()
      guard let place, "pf%".unicodeScalars.contains(place) else {
        let shown = Echo.quoted("%" + (place.map { String($0) } ?? ""))
        report(
          field, "has \(shown), which means nothing here",
          hint: "write `%p`, `%f`, or `%%` for a percent sign")
        return nil
      }
      places.insert(place)
    }
    guard places.contains("p") || places.contains("f") else {
      report(field, "has neither `%p` nor `%f`, must be \(must)", hint: hint)
      return nil
    }
    return text
  }
}
