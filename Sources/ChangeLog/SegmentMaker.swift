import Glibc
import PGOutput

/// A segment that can be appended to.
struct OpenSegment {
  var file: LogFile
  var state: SegmentState
}

/// Makes new segments so that a crash at any moment leaves either the old state or the new one: a segment gets its
/// name only when its header is on disk, and its predecessor is sealed on disk by then.
struct SegmentMaker {
  let directory: LogDirectory
  let encoder: FrameEncoder

  /// The first segment of a log.
  func first(origin: OriginIdentity, start: LSN) throws(ChangeLogError) -> OpenSegment {
    let header = SegmentHeader(origin: origin, start: start, previous: .none)
    let segment = try prepare(header, end: start, relations: KnownRelations())
    try settle(start)
    return segment
  }

  /// The segment after one that is sealed already.
  func after(
    _ state: SegmentState, digest: SegmentDigest, origin: OriginIdentity
  ) throws(ChangeLogError) -> OpenSegment {
    let header = SegmentHeader(origin: origin, start: state.watermark, previous: digest)
    let segment = try prepare(header, end: state.end, relations: state.relations)
    try settle(header.start)
    return segment
  }

  /// Seals the segment in `file` and makes the next. One that holds no position yet is replaced instead.
  ///
  /// On `diskFull` everything is as before.
  func roll(
    _ state: SegmentState, file: LogFile, origin: OriginIdentity
  ) throws(ChangeLogError) -> OpenSegment {
    guard state.watermark > state.start else {
      let header = SegmentHeader(origin: origin, start: state.start, previous: state.header.previous)
      let segment = try prepare(header, end: state.end, relations: state.relations)
      try settle(state.start)
      return segment
    }
    let index = ByteBuffer(capacity: 4 << 10)
    defer { withExtendedLifetime(index) {} }
    state.index().encode(into: index)
    var hasher = state.hasher
    hasher.update(index.bytes)
    let header = SegmentHeader(origin: origin, start: state.watermark, previous: hasher.digest)
    let segment = try prepare(header, end: state.end, relations: state.relations)
    // An index says that all before it is on disk.
    try file.sync()
    do throws(ChangeLogError) {
      try file.write(index.bytes, at: state.offset)
      try file.sync()
      try name(header.start)
    } catch {
      guard error.isRetriable else { throw error }
      _ = directory.calls.unlink(directory.unfinishedPath(header.start))
      try unseal(file, at: state.offset)
      throw error
    }
    try directory.sync()
    return segment
  }

  /// Takes the index off again. Durably: else what is written there next may reach the disk beside the rest of it.
  private func unseal(_ file: LogFile, at offset: UInt64) throws(ChangeLogError) {
    do throws(ChangeLogError) { try file.truncate(to: offset) } catch { throw error.final }
    try file.sync()
  }

  /// Writes a segment's head under its unfinished name, durably.
  private func prepare(
    _ header: SegmentHeader, end: LSN, relations: KnownRelations
  ) throws(ChangeLogError) -> OpenSegment {
    let head = ByteBuffer(capacity: 4 << 10)
    defer { withExtendedLifetime(head) {} }
    header.encode(into: head)
    var state = SegmentState(header: header, headerBytes: head.bytes, end: end, relations: relations)
    if !relations.isEmpty {
      let start = head.count
      let announcement = try encoder.repeated(relations, start: header.start, into: head)
      state.take(announcement, bytes: head.slice(start..<head.count))
    }
    let path = directory.unfinishedPath(header.start)
    do throws(ChangeLogError) {
      let file = try LogFile(
        path: path, mode: .create, calls: directory.calls, finalPath: directory.segmentPath(header.start))
      try file.write(head.bytes, at: 0)
      try file.sync()
      return OpenSegment(file: file, state: state)
    } catch {
      _ = directory.calls.unlink(path)
      throw error
    }
  }

  /// Gives the segment its name, durably.
  private func settle(_ start: LSN) throws(ChangeLogError) {
    try name(start)
    try directory.sync()
  }

  private func name(_ start: LSN) throws(ChangeLogError) {
    try Directory.rename(
      directory.unfinishedPath(start), to: directory.segmentPath(start), directory.calls)
  }
}
