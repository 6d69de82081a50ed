public import PGOutput

extension ChangeLogWriter {
  /// Opens the log in `directory` for appending, or makes it, with its first segment starting at `start`.
  ///
  /// The directory is locked for as long as the writer lives. The last segment is scanned: a torn tail is cut back to
  /// the last whole transaction (`recovery` says what was), damage before that is an error. An existing log keeps
  /// its own start and creation point; `start` and `origin.creationPoint` are for a new one. Its origin must be the
  /// given one in everything else; a timeline that has grown starts a new segment.
  public static func open(
    directory path: String, origin: OriginIdentity, start: LSN, options: Options = Options()
  ) throws(ChangeLogError) -> ChangeLogWriter {
    let directory = LogDirectory(path: path, calls: options.calls)
    try directory.create()
    let lock = try DirectoryLock(directory: path, calls: options.calls)
    try directory.removeUnfinished()
    let encoder = try FrameEncoder()
    let maker = SegmentMaker(directory: directory, encoder: encoder)
    guard let last = try directory.segments().last else {
      // Also when somebody else made it, who may have died before this: it would go with all that it will hold.
      try Directory.sync(path + "/..", options.calls)
      let segment = try maker.first(origin: origin, start: start)
      return ChangeLogWriter(
        directory: directory, options: options, lock: lock, segment: segment, encoder: encoder, recovery: nil)
    }
    let file = try LogFile(path: directory.segmentPath(last), mode: .write, calls: options.calls)
    let held = try SegmentScanner.header(of: file)
    guard held.start == last else {
      throw .damaged(
        file: file.path, offset: 0, reason: "its name is not the start in its header, \(held.start)")
    }
    try held.origin.admit(origin)
    var current = held.origin
    current.timeline = origin.timeline
    let found = try file.settled()
    // The process before may have died between giving the segment its name and making that durable.
    try directory.sync()
    var segment = OpenSegment(file: file, state: found.boundary)
    if let digest = found.sealed {
      segment = try maker.after(found.boundary, digest: digest, origin: current)
    } else if current != held.origin {
      segment = try maker.roll(found.boundary, file: file, origin: current)
    }
    return ChangeLogWriter(
      directory: directory, options: options, lock: lock, segment: segment, encoder: encoder,
      recovery: found.report)
  }
}

extension OriginIdentity {
  /// Throws unless `source` may go on where a log with this origin stands.
  func admit(_ source: OriginIdentity) throws(ChangeLogError) {
    func differ(
      _ field: OriginField, _ held: some CustomStringConvertible, _ given: some CustomStringConvertible
    )
      -> ChangeLogError
    {
      .originMismatch(field: field, held: held.description, given: given.description)
    }
    if systemIdentifier != source.systemIdentifier {
      throw differ(.systemIdentifier, systemIdentifier, source.systemIdentifier)
    }
    if databaseOID != source.databaseOID { throw differ(.databaseOID, databaseOID, source.databaseOID) }
    if slot != source.slot { throw differ(.slot, slot, source.slot) }
    if timeline > source.timeline { throw differ(.timeline, timeline, source.timeline) }
  }
}
