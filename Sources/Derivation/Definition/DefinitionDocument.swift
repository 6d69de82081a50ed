internal import Yams

/// The YAML text of a slot definition as a tree of nodes that know their places.
///
/// Yams stops at the first mapping that gives a key twice, and says where one of them stands. So that all faults
/// are told at once, that key is renamed to a *ghost* of the same length (private-use scalars) and the text read
/// again, until every key is alone; `DuplicateKeys` then finds each ghost beside the key it was.
struct DefinitionDocument {
  /// The root, or nil when the text cannot be read as YAML.
  let root: Node?
  /// What each ghost was called.
  let ghosts: [String: String]
  /// Why the text cannot be read on.
  let failure: Failure?

  /// A fault of the text itself.
  struct Failure {
    var place: Place
    var problem: String
    var hint: String
  }

  /// A text with more repeated keys than this is not mended by listing them.
  private static let maximumGhosts = 50

  init(_ yaml: String) {
    var lines = SourceLines(yaml)
    var ghosts: [String: String] = [:]
    while true {
      do {
        root = try Yams.compose(yaml: lines.text)
        failure = nil
        break
      } catch let error as YamlError {
        if case .duplicatedKeysInMapping(let names, let context) = error, ghosts.count < Self.maximumGhosts,
          let name = names.first, let ghost = Self.ghost(number: ghosts.count, for: name),
          lines.replace(name, with: ghost, line: context.mark.line, column: context.mark.column)
        {
          ghosts[ghost] = name
          continue
        }
        root = nil
        failure = Failure(error, lines)
        break
      } catch {
        root = nil
        failure = Failure(
          place: Place(line: 1, column: 1), problem: "is not YAML", hint: "check the text with a YAML tool")
        break
      }
    }
    self.ghosts = ghosts
  }

  private static func ghost(number: Int, for name: String) -> String? {
    guard !name.isEmpty, let scalar = Unicode.Scalar(0xE000 + UInt32(number)) else { return nil }
    return String(String.UnicodeScalarView(repeatElement(scalar, count: name.unicodeScalars.count)))
  }
}

extension DefinitionDocument.Failure {
  init(_ error: YamlError, _ lines: SourceLines) {
    switch error {
    case .scanner(let context?, let problem, _, _) where problem.contains("unexpected end of stream"):
      self.init(
        place: Place(context.mark), problem: "the text ends \(context.text)",
        hint: "close the quote or the bracket that opens here")
    case .composer(_, let problem, let mark, _) where problem.contains("another document"):
      self.init(
        place: Place(mark), problem: "a second document begins", hint: "keep one in the file: a file a slot")
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      let opened = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
      self.init(place: Place(mark), problem: problem + opened, hint: Self.hint(for: problem))
    case .reader(let problem, let offset, _, _):
      let place = lines.place(ofCharacter: offset ?? 0)
      self.init(
        place: place, problem: problem,
        hint: "remove the character, or write it as an escape in double quotes")
    case .duplicatedKeysInMapping(let names, let context):
      self.init(
        place: Place(context.mark),
        problem: "\(names.first.map(Echo.quoted) ?? "a key") is given more than once in one mapping",
        hint: "keep one of them")
    default:
      self.init(
        place: Place(line: 1, column: 1), problem: "is not YAML", hint: "check the text with a YAML tool")
    }
  }

  private static func hint(for problem: String) -> String {
    if problem.contains("cannot start any token") {
      return "indent with spaces, not tabs; quote a value that begins with one of @ ` % ! & * | > [ ] { }"
    }
    if problem.contains("mapping values are not allowed") || problem.contains("could not find expected ':'") {
      return "check the indentation, and quote a value that holds `: `"
    }
    if problem.contains("undefined alias") { return "define the anchor (`&name`) above its first use" }
    return "check the indentation and the quotes on this line and the one above it"
  }
}
