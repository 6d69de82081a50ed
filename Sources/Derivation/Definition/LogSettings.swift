extension SlotDefinition {
  /// Where the change log lies, what of it is kept, and where it is archived.
  public struct Log: Hashable, Sendable {
    /// Its directory, as it was written (a relative path starts where the process does).
    public var directory: String
    /// The stored size past which a new segment begins.
    public var segment: ByteCount
    /// What of it is dropped; everything is kept without it.
    public var retain: Retain
    /// The shell command that archives a sealed segment, with `%p` and `%f`; nil: nothing is archived.
    public var archive: String?
    /// The shell command that brings one back.
    public var restore: String?
    /// How long either may take.
    public var commandTimeout: Milliseconds

    /// The log's settings.
    public init(
      directory: String, segment: ByteCount = .mebibytes(64), retain: Retain = Retain(),
      archive: String? = nil, restore: String? = nil, commandTimeout: Milliseconds = .seconds(600)
    ) {
      self.directory = directory
      self.segment = segment
      self.retain = retain
      self.archive = archive
      self.restore = restore
      self.commandTimeout = commandTimeout
    }
  }

  /// What of the change log is dropped: what either rule names, the oldest first.
  public struct Retain: Hashable, Sendable {
    /// Segments that were sealed so long ago; nil: however old.
    public var age: Age?
    /// The oldest, while the log is larger; nil: however large.
    public var size: ByteCount?
    /// A named reader with more of the log before it holds it no longer; nil: readers hold for ever.
    public var readerLag: ByteCount?

    /// The rules; none unless given.
    public init(age: Age? = nil, size: ByteCount? = nil, readerLag: ByteCount? = nil) {
      self.age = age
      self.size = size
      self.readerLag = readerLag
    }

    /// Whether everything is kept.
    public var keepsAll: Bool { age == nil && size == nil }
  }
}
