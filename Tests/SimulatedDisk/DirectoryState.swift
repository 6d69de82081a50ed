/// A directory's names: as the running system sees them, and which are certainly on disk.
///
/// What was changed since the last sync is there in part: some of the changes, in their order, each whole - a rename
/// never leaves both names or none. A sync that fails leaves them as they were, to be written by a later one: a file
/// system whose journal cannot be written takes no more changes from anybody, so that nobody can believe what is lost.
struct DirectoryState {
  private struct Change {
    var name: String
    var node: NodeID?
    var removes: String?
  }

  private(set) var names: [String: NodeID] = [:]
  private var stored: [String: NodeID] = [:]
  private var changes: [Change] = []

  init() {}

  /// A directory that was there, on disk, before anything happened.
  init(stored names: [String: NodeID]) {
    self.names = names
    stored = names
  }

  mutating func set(_ name: String, to node: NodeID) { make(Change(name: name, node: node)) }
  mutating func remove(_ name: String) { make(Change(name: name, node: nil)) }
  mutating func rename(_ name: String, to newName: String) {
    make(Change(name: newName, node: names[name], removes: name))
  }

  mutating func sync(succeeded: Bool) {
    guard succeeded else { return }
    stored = names
    changes = []
  }

  /// What is there after the power has failed.
  func survivor(_ loss: inout PowerLoss) -> [String: NodeID] {
    switch loss.extent {
    case .nothing: return names
    case .everything: return stored
    case .some: break
    }
    var found = stored
    for change in changes where loss.spares() { Self.apply(change, to: &found) }
    return found
  }

  private mutating func make(_ change: Change) {
    Self.apply(change, to: &names)
    changes.append(change)
  }

  private static func apply(_ change: Change, to names: inout [String: NodeID]) {
    if let removed = change.removes { names[removed] = nil }
    names[change.name] = change.node
  }
}
