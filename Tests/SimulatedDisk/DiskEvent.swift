/// A file or directory, however it is called.
package typealias NodeID = Int

/// What was asked of the disk, in order: enough to say what may be left of it at any moment.
enum DiskEvent {
  case write(NodeID, offset: Int, bytes: [UInt8])
  case truncate(NodeID, size: Int)
  /// `fdatasync`, which worked or did not.
  case syncData(NodeID, succeeded: Bool)
  /// A new file or directory.
  case make(NodeID, name: String, in: NodeID, isDirectory: Bool)
  case rename(String, to: String, in: NodeID)
  case remove(String, in: NodeID)
  /// `fsync` of a directory, which worked or did not.
  case syncNames(NodeID, succeeded: Bool)
  /// The one under test has told somebody that this much is durable.
  case claim(UInt64)
}
