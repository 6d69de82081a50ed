/// A shell command with places for a file, as PostgreSQL's `archive_command` and `restore_command` have them: `%p` is the
/// file's path here, `%f` its name in the archive, `%%` a percent sign.
///
///     let restore = try ShellTemplate("cp /archive/%f %p")
public struct ShellTemplate: Hashable, Sendable, CustomStringConvertible {
  /// The command as it was written.
  public let description: String
  private let pieces: [Piece]

  private enum Piece: Hashable {
    case text(String)
    case path
    case name
  }

  /// Why a text is no such command.
  public enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
    /// There is nothing in it, or a NUL.
    case empty
    /// A `%` before something that has no meaning, or at the end.
    case unknownPlace(String)
    /// Neither `%p` nor `%f` stands in it: it would do the same for every file.
    case nameless

    /// What is wrong, after the command's name: `has ...`.
    public var description: String {
      switch self {
      case .empty: "is empty, or holds a NUL"
      case .unknownPlace(let place): "has `\(place)`, which means nothing here"
      case .nameless: "has neither `%p` (the file's path here) nor `%f` (its name in the archive)"
      }
    }

    /// How to mend it.
    public var hint: String {
      switch self {
      case .empty: "write a shell command: `cp %p /archive/%f`"
      case .unknownPlace: "write `%p`, `%f`, or `%%` for a percent sign"
      case .nameless: "write both: `cp %p /archive/%f` archives, `cp /archive/%f %p` restores"
      }
    }
  }

  /// Reads the command.
  public init(_ text: String) throws(Problem) {
    guard text.contains(where: { !$0.isWhitespace }), !text.utf8.contains(0) else { throw .empty }
    var pieces: [Piece] = []
    var literal = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      guard scalar == "%" else {
        literal.append(scalar)
        continue
      }
      let place = rest.popFirst()
      switch place {
      case "%": literal.append("%")
      case "p", "f":
        pieces += [.text(String(literal)), place == "p" ? .path : .name]
        literal = .init()
      default: throw .unknownPlace("%" + (place.map { String($0) } ?? ""))
      }
    }
    pieces.append(.text(String(literal)))
    guard pieces.count > 1 else { throw .nameless }
    description = text
    self.pieces = pieces
  }

  /// The command for a file. A path is put in as it is, so one that the shell would read otherwise is refused (nil).
  func line(path: String, name: String) -> String? {
    guard Self.admits(path: path) else { return nil }
    return pieces.map { piece in
      switch piece {
      case .text(let text): text
      case .path: path
      case .name: name
      }
    }.joined()
  }

  /// Whether the shell reads the path as what it is.
  public static func admits(path: String) -> Bool { !path.hasPrefix("-") && path.utf8.allSatisfy(isPlain) }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
      true
    default: Array("/._-+:@,=".utf8).contains(byte)
    }
  }
}
