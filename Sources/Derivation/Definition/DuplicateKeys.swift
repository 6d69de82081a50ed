internal import Yams

extension DefinitionReader {
  /// Reports each key that its mapping gives again, anywhere in the document.
  mutating func reportDuplicates(in node: Node) {
    guard !ghosts.isEmpty else { return }
    var visited: Set<Place> = []
    reportDuplicates(in: node, path: .root, &visited)
  }

  /// What aliases repeat stands in one place, and is looked at once: aliases of aliases would be without end.
  private mutating func reportDuplicates(in node: Node, path: FieldPath, _ visited: inout Set<Place>) {
    switch node {
    case .mapping(let mapping) where visited.insert(Place(node.mark)).inserted:
      var first: [String: Place] = [:]
      for (key, value) in mapping {
        let written = key.scalar?.string ?? ""
        let name = ghosts[written] ?? written
        let field = path.appending(name)
        let place = Place(key.mark)
        if let earlier = first[name] {
          report(
            field, place, "is given again; it stands on line \(earlier.line) already",
            hint: "keep one of them")
        }
        first[name] = first[name] ?? place
        reportDuplicates(in: value, path: field, &visited)
      }
    case .sequence(let sequence) where visited.insert(Place(node.mark)).inserted:
      for (index, element) in sequence.enumerated() {
        reportDuplicates(in: element, path: path.appending(index), &visited)
      }
    default: break
    }
  }
}
