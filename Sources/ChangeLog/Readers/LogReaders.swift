import Glibc
package import PGOutput

/// The named readers of a log: a file each in `readers/` of its directory. Retention drops nothing that one of them has
/// not read.
///
///     let readers = LogReaders(directory: "/var/lib/crossfade/log")
///     let me = try readers.register("risk", kind: "subscriber")
///     for try await transaction in log.transactions(after: me.position) {
///       ...
///       try readers.move("risk", to: transaction.position)   // when it is handled, now and then
///     }
///
/// What stands there may lag behind what was read, never run ahead of it.
public struct LogReaders: Sendable {
  private let directory: LogDirectory

  /// The readers of the log in a directory.
  public init(directory: String) { self.init(LogDirectory(path: directory)) }

  init(_ directory: LogDirectory) { self.directory = directory }

  private var place: String { "\(directory.path)/readers" }
  private func path(_ name: String) -> String { "\(place)/\(name)" }

  /// A reader as it was found.
  public struct Entry: Sendable {
    /// Its name.
    public let name: String
    /// What its file says; or why it cannot be read, or is not about this log. Then nothing of the log is dropped.
    public let reader: Result<NamedReader, ChangeLogError>
  }

  /// All of them, by name.
  public func list() throws(ChangeLogError) -> [Entry] {
    var entries: [Entry] = []
    let names = try Directory.names(in: place).filter { NamedReader.isName($0) && !isDirectory($0) }.sorted()
    guard !names.isEmpty else { return [] }
    let origin = try newest()?.origin
    for name in names {
      do throws(ChangeLogError) {
        let reader = try read(name)
        if let origin, reader.origin != NamedReader.Origin(origin) { throw foreign(reader) }
        entries.append(Entry(name: name, reader: .success(reader)))
      } catch {
        entries.append(Entry(name: name, reader: .failure(error)))
      }
    }
    return entries
  }

  /// Makes a reader known that has handled everything up to `position`, or nothing (nil). One that is known already
  /// stays where it is: it goes on from the position that is returned.
  public func register(
    _ name: String, at position: Position? = nil, kind: String
  ) throws(ChangeLogError) -> NamedReader {
    try check(name, kind)
    guard let newest = try newest() else { throw .noLog(directory: directory.path) }
    let lock = try FileLock(directory: directory.path)
    defer { withExtendedLifetime(lock) {} }
    if let known = try found(name) {
      guard known.origin == NamedReader.Origin(newest.origin) else { throw foreign(known) }
      return known
    }
    guard let first = try directory.segments().first else { throw .noLog(directory: directory.path) }
    let position = position ?? Position(endLSN: first)
    guard position.endLSN >= first else { throw .pruned(asked: position.endLSN, firstHeld: first) }
    let end = try newest.end(directory)
    guard position.endLSN <= end else { throw ahead(name, position, end) }
    let reader = NamedReader(
      name: name, position: position, kind: kind, origin: NamedReader.Origin(newest.origin),
      updatedAt: Int64(time(nil)), pid: getpid())
    if try Directory.make(place, directory.calls) { try directory.sync() }
    try write(reader)
    try Directory.sync(place, directory.calls)
    return reader
  }

  /// Notes how far a reader is. It may go back, as long as what it then needs is held.
  public func move(_ name: String, to position: Position) throws(ChangeLogError) {
    guard let newest = try newest() else { throw .noLog(directory: directory.path) }
    try move(name, to: position, end: try newest.end(directory))
  }

  /// As `move`, for one who knows where the log ends.
  package func move(_ name: String, to position: Position, end: LSN) throws(ChangeLogError) {
    guard var reader = try found(name) else { throw .reader(name: name, reason: "it is not known") }
    guard position.endLSN <= end else { throw ahead(name, position, end) }
    var lock: FileLock?
    if position < reader.position {
      lock = try FileLock(directory: directory.path)
      let first = try directory.segments().first ?? .invalid
      guard position.endLSN >= first else { throw .pruned(asked: position.endLSN, firstHeld: first) }
    }
    defer { withExtendedLifetime(lock) {} }
    reader.position = position
    reader.updatedAt = Int64(time(nil))
    reader.pid = getpid()
    try write(reader)
    // A step forward that a crash takes back lags, and is safe; a step back would be one forward again.
    if lock != nil { try Directory.sync(place, directory.calls) }
  }

  /// Forgets a reader: it holds nothing any more. False when it was not known.
  @discardableResult
  public func forget(_ name: String) throws(ChangeLogError) -> Bool {
    try check(name, "any")
    guard access(path(name), F_OK) == 0, !isDirectory(name) else { return false }
    try Directory.remove(path(name), directory.calls)
    try Directory.sync(place, directory.calls)
    return true
  }
}

extension LogReaders {
  /// Whether the name is somebody's directory, and no reader's file.
  private func isDirectory(_ name: String) -> Bool {
    var info = stat()
    return stat(path(name), &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  private func read(_ name: String) throws(ChangeLogError) -> NamedReader {
    try NamedReader(name: name, file: LogFile(path: path(name), mode: .read))
  }

  private func found(_ name: String) throws(ChangeLogError) -> NamedReader? {
    do throws(ChangeLogError) { return try read(name) } catch .io("open", _, ENOENT) { return nil }
  }

  /// Whole, and on disk, before it has its name: a file that is cut short would hold the whole log.
  private func write(_ reader: NamedReader) throws(ChangeLogError) {
    let making = "\(path(reader.name)).\(getpid()).new"
    let text = ByteBuffer(capacity: 512)
    defer { withExtendedLifetime(text) {} }
    text.append(reader.text.utf8)
    let file = try LogFile(path: making, mode: .create, calls: directory.calls)
    try file.write(text.bytes, at: 0)
    try file.sync()
    try Directory.rename(making, to: path(reader.name), directory.calls)
  }

  private func newest() throws(ChangeLogError) -> NewestSegment? {
    guard let start = try directory.segments().last else { return nil }
    let file = try LogFile(path: directory.segmentPath(start), mode: .read)
    return NewestSegment(start: start, origin: try SegmentScanner.header(of: file).origin)
  }

  private struct NewestSegment {
    let start: LSN
    let origin: OriginIdentity

    /// The log's watermark.
    func end(_ directory: LogDirectory) throws(ChangeLogError) -> LSN {
      try LogSegment(LogFile(path: directory.segmentPath(start), mode: .read), start: start).watermark
    }
  }

  private func check(_ name: String, _ kind: String) throws(ChangeLogError) {
    guard NamedReader.isName(name) else {
      throw .reader(name: name, reason: "a name is 1 to 63 of a-z, 0-9, _ and -")
    }
    guard !kind.isEmpty, !kind.contains(where: \.isNewline) else {
      throw .reader(name: name, reason: "its kind is one line of text")
    }
  }

  private func foreign(_ reader: NamedReader) -> ChangeLogError {
    .reader(
      name: reader.name,
      reason:
        "its position is of another log: slot \(reader.origin.slot), system \(reader.origin.systemIdentifier), "
        + "database \(reader.origin.databaseOID)")
  }

  private func ahead(_ name: String, _ position: Position, _ end: LSN) -> ChangeLogError {
    .reader(name: name, reason: "\(position) lies past the end of the log, \(end)")
  }
}
