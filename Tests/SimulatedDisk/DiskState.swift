/// All files and directories of a disk, and what may be left of them.
package struct DiskState {
  package static let root: NodeID = 0

  private(set) var files: [NodeID: FileState] = [:]
  private(set) var directories: [NodeID: DirectoryState] = [root: DirectoryState()]
  /// The most that has been said to be durable.
  package private(set) var claimed: UInt64 = 0

  /// What stands in `path` now, taken as stored.
  init(of path: String) throws {
    try take(RealTree.read(path), as: Self.root)
  }

  private mutating func take(_ tree: RealTree, as node: NodeID) throws {
    switch tree {
    case .file(let bytes): files[node] = FileState(stored: bytes)
    case .directory(let entries):
      var names: [String: NodeID] = [:]
      directories[node] = DirectoryState()
      for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
        let child = nextNode
        names[name] = child
        try take(entry, as: child)
      }
      directories[node] = DirectoryState(stored: names)
    }
  }

  mutating func apply(_ event: DiskEvent) {
    switch event {
    case .write(let node, let offset, let bytes): files[node]?.write(bytes, at: offset)
    case .truncate(let node, let size): files[node]?.truncate(to: size)
    case .syncData(let node, let succeeded): files[node]?.sync(succeeded: succeeded)
    case .make(let node, let name, let parent, let isDirectory):
      if isDirectory { directories[node] = DirectoryState() } else { files[node] = FileState() }
      directories[parent]?.set(name, to: node)
    case .rename(let name, let newName, let parent): directories[parent]?.rename(name, to: newName)
    case .remove(let name, let parent): directories[parent]?.remove(name)
    case .syncNames(let node, let succeeded): directories[node]?.sync(succeeded: succeeded)
    case .claim(let value): claimed = max(claimed, value)
    }
  }

  var nextNode: NodeID { files.count + directories.count }

  /// The node at a path of names below the root, as the running system sees it.
  func node(_ path: [String]) -> NodeID? {
    var node = Self.root
    for name in path {
      guard let next = directories[node]?.names[name] else { return nil }
      node = next
    }
    return node
  }

  /// What is there after the power has failed.
  package func survivor(_ loss: PowerLoss) -> RealTree {
    var loss = loss
    return survivor(Self.root, &loss)
  }

  private func survivor(_ node: NodeID, _ loss: inout PowerLoss) -> RealTree {
    if let file = files[node] { return .file(file.survivor(&loss)) }
    var entries: [String: RealTree] = [:]
    let names = directories[node]?.survivor(&loss) ?? [:]
    for (name, child) in names.sorted(by: { $0.key < $1.key }) { entries[name] = survivor(child, &loss) }
    return .directory(entries)
  }
}
