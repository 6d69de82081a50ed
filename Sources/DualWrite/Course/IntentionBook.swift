import PGOutput

/// What is intended and not yet written, a row a key. A value without socket or clock.
///
/// - An intention ends by being written, or superseded by a later change, or when a look finds nothing to write and nothing comes
///   of the key until the log is read up to that look: the row is gone, or agrees. Nothing else ends it.
/// - It is written to a version of the row that is proven to be the result of the last change read (`Intention`).
/// - A row that somebody keeps locked is left out of the flights until it is free.
/// - The checkpoint never passes the change it stems from, so that after a crash it comes again.
struct IntentionBook {
  private(set) var pending: [KeyBytes: Intention] = [:]
  /// Keys whose rows somebody keeps locked: no flight takes them along, it would wait with every row it has written.
  private(set) var held: Set<KeyBytes> = []
  private var ready: [(key: KeyBytes, serial: UInt64)] = []
  /// Those that wait for the log to be read on; the positions only grow.
  private var waiting: [(key: KeyBytes, serial: UInt64, seen: LSN)] = []
  private var firstWaiting = 0
  private var lastSerial: UInt64 = 0

  var count: Int { pending.count }
  var isEmpty: Bool { pending.isEmpty }

  /// How many can be written now, those included that have been superseded meanwhile.
  var readyCount: Int { ready.count }

  /// Where the log must be read to for the next that waits; nil when none does.
  var awaited: LSN? { firstWaiting < waiting.count ? waiting[firstWaiting].seen : nil }

  /// A change that is meant: the version its transaction left may be written.
  mutating func intend(_ way: Way, key: KeyBytes, version: UInt32, position: LSN) {
    lastSerial += 1
    pending[key] = Intention(way: way, version: version, position: position, serial: lastSerial)
    ready.append((key, lastSerial))
  }

  /// A change that left the pair alone and made a younger version: what was intended for the key goes on to it.
  mutating func goOn(_ intention: Intention, key: KeyBytes, version: UInt32) {
    intend(intention.way, key: key, version: version, position: intention.position)
  }

  /// Nothing is intended for the key any more.
  mutating func forget(_ key: KeyBytes) { pending[key] = nil }

  /// A row that is locked: nothing is sent for it until it is `release`d.
  mutating func hold(_ key: KeyBytes) {
    held.insert(key)
    guard var intention = pending[key], intention.standing == .inFlight else { return }
    intention.standing = .held
    pending[key] = intention
  }

  /// A row that was locked and is free.
  mutating func release(_ key: KeyBytes) {
    held.remove(key)
    guard var intention = pending[key], intention.standing == .held else { return }
    intention.standing = .ready
    pending[key] = intention
    ready.append((key, intention.serial))
  }

  /// What is intended for a row that is locked; nil where nothing is, or it waits for the log to be read on.
  func heldLine(_ key: KeyBytes) -> IntentionLine? {
    guard let intention = pending[key], intention.standing == .held else { return nil }
    return IntentionLine(
      key: key, way: intention.way, version: intention.version, position: intention.position,
      serial: intention.serial)
  }

  /// Gives up what a line carries, unless something else is intended by now.
  mutating func drop(_ line: IntentionLine) {
    if pending[line.key]?.serial == line.serial { pending[line.key] = nil }
  }

  mutating func forgetAll() {
    pending = [:]
    held = []
    ready = []
    waiting = []
    firstWaiting = 0
  }

  /// Takes what may be written now that the log is read up to `read`.
  mutating func lines(read: LSN, most: Int = .max) -> [IntentionLine] {
    while firstWaiting < waiting.count, waiting[firstWaiting].seen <= read {
      ready.append((waiting[firstWaiting].key, waiting[firstWaiting].serial))
      firstWaiting += 1
    }
    if firstWaiting > 1024, firstWaiting * 2 > waiting.count {
      waiting.removeFirst(firstWaiting)
      firstWaiting = 0
    }
    let taken = ready.prefix(most)
    ready.removeFirst(taken.count)
    var lines: [IntentionLine] = []
    lines.reserveCapacity(taken.count)
    for (key, serial) in taken {
      guard var intention = pending[key], intention.serial == serial else { continue }
      let isHeld = held.contains(key)
      intention.standing = isHeld ? .held : .inFlight
      pending[key] = intention
      guard !isHeld else { continue }
      lines.append(
        IntentionLine(
          key: key, way: intention.way, version: intention.version, position: intention.position,
          serial: serial))
    }
    return lines
  }

  /// The earliest change that is meant by an intention that no line carries: the checkpoint stays before it.
  var earliestWaiting: LSN? {
    var earliest: LSN?
    for intention in pending.values where intention.standing != .inFlight {
      if let known = earliest, known <= intention.position { continue }
      earliest = intention.position
    }
    return earliest
  }

  /// Takes in what a look after the write found; `seen` is where the WAL stood after it. Gives the lines that the server cannot
  /// write, since its map does not know the value; they are gone from here.
  mutating func land(_ lines: [IntentionLine], open: [OpenRow], seen: LSN) -> [IntentionLine] {
    var refused: [IntentionLine] = []
    var next = 0
    for (index, line) in lines.enumerated() {
      var found: OpenRow?
      if next < open.count, open[next].line == index {
        found = open[next]
        next += 1
      }
      // A change that was read meanwhile has another word on the key.
      guard var intention = pending[line.key], intention.serial == line.serial else { continue }
      guard let found else {
        pending[line.key] = nil
        continue
      }
      guard let version = found.version else {
        // What became of the row is yet to be read; where it moved to another key, the intention goes with it.
        if intention.isOutOfSight {
          pending[line.key] = nil
        } else {
          intention.isOutOfSight = true
          wait(line, intention, seen)
        }
        continue
      }
      intention.isOutOfSight = false
      if version != line.version {
        intention.version = version
        wait(line, intention, seen)
      } else if found.canBeWritten {
        intention.standing = .ready
        pending[line.key] = intention
        ready.append((line.key, line.serial))
      } else {
        pending[line.key] = nil
        refused.append(line)
      }
    }
    return refused
  }

  private mutating func wait(_ line: IntentionLine, _ intention: Intention, _ seen: LSN) {
    var intention = intention
    intention.standing = .seen(at: seen)
    pending[line.key] = intention
    waiting.append((line.key, line.serial, seen))
  }
}
