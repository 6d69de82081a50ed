/// A file's contents: as the running system sees them, and what of them is certainly on disk.
///
/// What was written since the last sync is there in any mixture: each sector of 512 bytes as it was after any of the
/// writes to it, or none; the size as it was at any time. A sync that fails has written any of it, and leaves the rest
/// *clean*: readable, and never written by a later sync unless it is written to again ("fsyncgate": LWN 752063,
/// PostgreSQL's `data_sync_retry`).
struct FileState {
  static let sector = 512

  private(set) var cached: [UInt8] = []
  private var stored: [UInt8] = []
  /// What a sector has been since it was last known to be stored.
  private var versions: [Int: [[UInt8]]] = [:]
  private var dirty: Set<Int> = []
  private var sizes: [Int] = []

  init() {}

  /// A file that was there, on disk, before anything happened.
  init(stored contents: [UInt8]) {
    cached = contents
    stored = contents
  }

  mutating func write(_ bytes: [UInt8], at offset: Int) {
    let from = min(cached.count, offset)
    if cached.count < offset + bytes.count { resize(to: offset + bytes.count) }
    cached.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    touch(from..<(offset + bytes.count))
  }

  mutating func truncate(to size: Int) {
    let end = max(cached.count, stored.count)
    resize(to: size)
    if size < end { touch(size..<end) }
  }

  mutating func sync(succeeded: Bool) {
    defer { dirty = [] }
    guard succeeded else { return }
    stored = Self.sized(stored, cached.count)
    sizes = []
    for sector in dirty {
      versions[sector] = nil
      Self.put(cachedSector(sector), sector, into: &stored)
    }
  }

  /// What is there after the power has failed.
  func survivor(_ loss: inout PowerLoss) -> [UInt8] {
    switch loss.extent {
    case .nothing: return cached
    case .everything: return stored
    case .some: break
    }
    let size = loss.pick(from: [stored.count] + sizes, latest: cached.count)
    var found = stored
    // In an order that does not differ from run to run.
    for (sector, seen) in versions.sorted(by: { $0.key < $1.key }) {
      guard let version = loss.pick(from: [nil] + seen.map(Optional.some), latest: cachedSector(sector))
      else { continue }
      let end = min((sector + 1) * Self.sector, size)
      if found.count < end { found = Self.sized(found, end) }
      Self.put(version, sector, into: &found)
    }
    return Self.sized(found, size)
  }

  private mutating func resize(to size: Int) {
    if size == cached.count { return }
    cached = Self.sized(cached, size)
    sizes.append(size)
  }

  private mutating func touch(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    for sector in (range.lowerBound / Self.sector)...((range.upperBound - 1) / Self.sector) {
      versions[sector, default: []].append(cachedSector(sector))
      dirty.insert(sector)
    }
  }

  private func cachedSector(_ number: Int) -> [UInt8] {
    let start = min(number * Self.sector, cached.count)
    return Self.sized(Array(cached[start..<min(start + Self.sector, cached.count)]), Self.sector)
  }

  /// Puts a sector where there is room for it.
  private static func put(_ bytes: [UInt8], _ sector: Int, into contents: inout [UInt8]) {
    let start = sector * Self.sector
    guard start < contents.count else { return }
    let end = min(start + Self.sector, contents.count)
    contents.replaceSubrange(start..<end, with: bytes[..<(end - start)])
  }

  private static func sized(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
    bytes.count >= size ? Array(bytes[..<size]) : bytes + [UInt8](repeating: 0, count: size - bytes.count)
  }
}
