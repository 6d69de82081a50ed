import PGOutput

/// Keeps what waits for its commit in memory up to a bound, then in temporary files, and writes finished lines to
/// standard output. So a transaction of any size is printed whole or not at all, in flat memory.
///
/// Invariant: the bound holds for all waiting transactions together; when it is passed, the one with the most in
/// memory goes to its file. What waits of a transaction in memory comes after what is in its file.
struct SpillingLineStore: LineStore {
  typealias Failure = SystemError

  private struct Waiting {
    var memory: [UInt8] = []
    var file: SpillFile?
    var length: Int { (file?.length ?? 0) + memory.count }
  }

  private let bytesInMemoryMax: Int
  private let descriptor: Int32
  private var bytesInMemory = 0
  private var waiting: [TransactionID: Waiting] = [:]
  private var output: [UInt8] = []

  /// An empty store that writes to a descriptor, standard output unless said otherwise.
  init(bytesInMemoryMax: Int = 4 << 20, descriptor: Int32 = 1) {
    self.bytesInMemoryMax = bytesInMemoryMax
    self.descriptor = descriptor
  }

  func length(of transaction: TransactionID) -> Int { waiting[transaction]?.length ?? 0 }

  mutating func append(_ bytes: [UInt8], to transaction: TransactionID) throws(SystemError) {
    waiting[transaction, default: Waiting()].memory.append(contentsOf: bytes)
    bytesInMemory += bytes.count
    if bytesInMemory > bytesInMemoryMax { try spill() }
  }

  mutating func truncate(_ transaction: TransactionID, to length: Int) throws(SystemError) {
    guard var kept = waiting[transaction], kept.length > length else { return }
    bytesInMemory -= kept.memory.count
    if let file = kept.file, file.length >= length {
      try file.truncate(to: length)
      kept.memory = []
    } else {
      kept.memory.removeLast(kept.length - length)
    }
    bytesInMemory += kept.memory.count
    waiting[transaction] = kept
  }

  mutating func discard(_ transaction: TransactionID) {
    bytesInMemory -= waiting.removeValue(forKey: transaction)?.memory.count ?? 0
  }

  mutating func write(_ head: [UInt8], changesOf transaction: TransactionID, _ tail: [UInt8])
    throws(SystemError)
  {
    let changes = waiting.removeValue(forKey: transaction)
    bytesInMemory -= changes?.memory.count ?? 0
    try write(head)
    if let file = changes?.file {
      try file.forEachPiece { (piece) throws(SystemError) in try write(piece) }
    }
    try write(changes?.memory ?? [])
    try write(tail)
  }

  mutating func write(_ line: [UInt8]) throws(SystemError) {
    output.append(contentsOf: line)
    if output.count >= 1 << 16 { try flush() }
  }

  /// Writes out what is finished.
  mutating func flush() throws(SystemError) {
    defer { output.removeAll(keepingCapacity: true) }
    try writeAll(output, to: descriptor, action: "write to standard output")
  }

  private mutating func spill() throws(SystemError) {
    guard let largest = waiting.max(by: { $0.value.memory.count < $1.value.memory.count })?.key,
      var spilled = waiting.removeValue(forKey: largest)
    else { return }
    let file = if let file = spilled.file { file } else { try SpillFile() }
    try file.append(spilled.memory)
    bytesInMemory -= spilled.memory.count
    spilled.file = file
    spilled.memory = []
    waiting[largest] = spilled
  }
}
