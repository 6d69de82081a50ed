internal import Yams

extension DefinitionReader {
  /// Reports each key that its mapping gives again, anywhere in the document.
  mutating func reportDuplicates(in node: Node) {
    guard !ghosts.isEmpty else { return }
    var seen: Set<Place> = []
    reportDuplicates(in: node, path: .root, &seen)
  }

  private mutating func reportDuplicates(in node: Node, path: FieldPath, _ seen: inout Set<Place>) {
    switch node {
    case .mapping(let mapping):
      var first: [String: Place] = [:]
      for (key, value) in mapping {
        let written = key.scalar?.string ?? ""
        let name = ghosts[written] ?? written
        let field = path.appending(Echo.name(name))
        let place = Place(key.mark)
        if let earlier = first[name], seen.insert(place).inserted {
          report(
            field, place, "is given again; it stands on line \(earlier.line) already",
            hint: "keep one of them")
        }
        first[name] = first[name] ?? place
        reportDuplicates(in: value, path: field, &seen)
      }
    case .sequence(let sequence):
      for (index, element) in sequence.enumerated() {
        reportDuplicates(in: element, path: path.appending(index), &seen)
      }
    case .scalar, .alias: break
    }
  }
}
