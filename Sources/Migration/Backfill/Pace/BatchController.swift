/// How many rows a batch has: the inner of two controllers.
///
/// It looks at how long statements take and how much WAL they write, and only at batches of the size that stands: what an
/// older size took says nothing of this one.
public struct BatchController: Sendable, Equatable {
  /// What is aimed at.
  public struct Aim: Sendable, Equatable {
    /// Milliseconds that nine statements of ten should stay below.
    public var milliseconds: Double
    /// Bytes of WAL that a batch should stay below.
    public var walBytes: Double
    /// The most rows.
    public var ceiling: Int

    /// An aim from its parts.
    public init(milliseconds: Double, walBytes: Double, ceiling: Int) {
      self.milliseconds = milliseconds
      self.walBytes = walBytes
      self.ceiling = ceiling
    }
  }

  /// The rows that the next batch is asked for.
  public private(set) var rows: Int
  private var aim: Aim
  private var times: [Double] = []
  private var walPerRow = 0.0

  /// The rows of the first batch.
  public static let start = 500
  /// Below this it does not go by itself: a statement's own cost would outweigh its rows.
  public static let floor = 50
  /// Batches of one size that are looked at before it changes.
  static let window = 5
  /// So many times the aim is no chance.
  static let panic = 5.0

  /// A controller that begins small.
  public init(_ aim: Aim) {
    self.aim = aim
    rows = min(Self.start, max(1, aim.ceiling))
  }

  /// Another ceiling, asked for while it runs.
  public mutating func limit(to ceiling: Int) {
    guard ceiling != aim.ceiling else { return }
    aim.ceiling = max(1, ceiling)
    if rows > aim.ceiling { change(to: aim.ceiling) }
  }

  /// A batch of so many rows is done.
  public mutating func record(rows done: Int, milliseconds: Double, walBytes: Double) {
    guard done == rows, done > 0, milliseconds.isFinite, walBytes.isFinite else { return }
    if milliseconds > Self.panic * aim.milliseconds { return change(to: rows / 10) }
    // After a checkpoint every page is written whole: the dearest row of the window counts.
    walPerRow = max(walPerRow, walBytes / Double(done))
    if walBytes > 2 * aim.walBytes { return change(to: min(fitting, rows / 2)) }
    times.append(milliseconds)
    guard times.count >= Self.window else { return }
    let slow = times.sorted()[(times.count * 9 - 1) / 10]
    let wanted = slow > 0 ? Double(rows) * aim.milliseconds / slow : Double(rows) * 1.5
    let bounded = min(max(wanted, Double(rows) / 2), Double(rows) * 1.5)
    let next = min(Int(bounded), fitting)
    // What would be changed by less than a tenth stays: a size that wanders says nothing of itself.
    if abs(next - rows) * 10 > rows || next >= aim.ceiling { change(to: next) } else { begin() }
  }

  /// A statement was cut off by its timeout.
  public mutating func timedOut() { change(to: rows / 2) }

  /// The rows whose WAL fits.
  private var fitting: Int {
    guard walPerRow > 0 else { return Int.max }
    return Int(min(aim.walBytes / walPerRow, 1e9))
  }

  private mutating func change(to next: Int) {
    rows = max(1, min(aim.ceiling, max(min(Self.floor, aim.ceiling), next)))
    begin()
  }

  private mutating func begin() {
    times.removeAll(keepingCapacity: true)
    walPerRow = 0
  }
}
