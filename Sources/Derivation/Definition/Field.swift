internal import Yams

/// A line and a column, both from 1; columns count Unicode scalars.
struct Place: Hashable {
  var line: Int
  var column: Int

  init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }

  init(_ mark: Mark?) {
    line = mark?.line ?? 1
    column = mark?.column ?? 1
  }
}

/// A value in the document: its path, and where it and its key stand.
struct Field {
  var path: FieldPath
  var place: Place
  /// Nil for the root and for elements of lists.
  var keyPlace: Place?
  var node: Node

  init(path: FieldPath, node: Node) {
    self.path = path
    self.node = node
    place = Place(node.mark)
  }

  /// The text of a scalar, without its quotes.
  var scalarText: String? { node.scalar?.string }

  /// Whether it is a scalar without quotes.
  var isPlain: Bool { node.scalar?.style == .plain }

  /// Whether nothing is written there: `key:`, `~` or `null` without quotes.
  var isNull: Bool {
    guard node.scalar?.style == .plain || node.scalar?.style == .any, let text = scalarText else {
      return false
    }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// What stands there, for messages.
  var kind: String {
    switch node {
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    case .scalar(let scalar): isNull ? "empty" : path.mayHoldSecrets ? "a text" : Echo.quoted(scalar.string)
    }
  }
}

/// The way from the root to a field: `derive.map.states[2].id`.
struct FieldPath: Hashable, CustomStringConvertible {
  let description: String

  static let root = FieldPath(description: "")

  /// Whether what stands here is never shown: the part of the document where passwords are.
  var mayHoldSecrets: Bool { description == "source" || description.hasPrefix("source.") }

  /// The field with a key; a key that is no plain word is shown as `***` where it may be a secret in the wrong place.
  func appending(_ key: String) -> FieldPath {
    let isWord = key.utf8.count <= 24 && key.utf8.allSatisfy { UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 }
    let shown = isWord || !mayHoldSecrets ? Echo.name(key) : "***"
    return FieldPath(description: description.isEmpty ? shown : "\(description).\(shown)")
  }

  /// The element with this index; counted from 0, as PostgreSQL's JSON paths do.
  func appending(_ index: Int) -> FieldPath { FieldPath(description: "\(description)[\(index)]") }
}

/// A mapping whose keys have been checked.
struct Section {
  var path: FieldPath
  /// Where to point when a key is missing: the section's own key, or the start of the document.
  var place: Place
  var fields: [String: Field]
  /// Keys that an unknown key may have been meant to be: reported as such, and not as missing too.
  var suspects: Set<String> = []
}
