import Glibc
import LocalCluster
import PGOutput
import Testing

@testable import Capture
@testable import ChangeLog

@Suite("The spool") struct SpoolStoreTests {
  private let log: LogFixture
  private let store: SpoolStore
  private let xid = TransactionID(rawValue: 3)

  init() throws {
    log = try LogFixture()
    store = try SpoolStore(logDirectory: log.path, calls: log.calls)
  }

  private func append(_ xid: TransactionID, _ payload: [UInt8]) throws {
    let group = RecordGroup()
    payload.withUnsafeBytes { group.append(walStart: 0, payload: $0) }
    store.append(xid, group)
    try store.flushExcess(xid)
  }

  /// Bytes that do not compress.
  private static let noise: [UInt8] = {
    var random = SeededGenerator(seed: 1)
    return (0..<(1 << 17)).map { _ in UInt8.random(in: 0...255, using: &random) }
  }()

  /// An insert of so many bytes that do not compress, told apart by its seed.
  private func record(_ size: Int, _ seed: UInt64) -> [UInt8] {
    var record = [UInt8(ascii: "I")] + withUnsafeBytes(of: seed) { Array($0) }
    while record.count < size {
      let start = Int(seed &* 7919 % 65_536)
      record += Self.noise[start..<(start + min(65_536, size - record.count))]
    }
    return record
  }

  private func contents(_ xid: TransactionID, of store: SpoolStore? = nil) throws -> [UInt8] {
    var all: [UInt8] = []
    try (store ?? self.store).read(xid) { all += Array($0) }
    return all
  }

  private func framed(_ payload: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: UInt32(payload.count).bigEndian) { Array($0) } + [UInt8](repeating: 0, count: 8)
      + payload
  }

  private var files: [String] { get throws { try Directory.names(in: log.path + "/spool").sorted() } }

  @Test("a short transaction never touches the disk")
  func short() throws {
    try append(xid, record(1000, 1))
    #expect(try contents(xid) == framed(record(1000, 1)))
    #expect(try files.isEmpty)
    try store.discard(xid)
    #expect(try contents(xid).isEmpty)
    #expect(store.bytesInMemory == 0)
  }

  @Test("a long one goes to disk in chunks, and its file goes with it; lz4 reads it")
  func long() throws {
    var expected: [UInt8] = []
    for seed in 0..<40 as Range<UInt64> {
      let record = record(20_000, seed)
      expected += framed(record)
      try append(xid, record)
    }
    #expect(try files == ["00000003.open"])
    #expect(store.bytesInMemory < SpoolStore.chunkBytes)
    #expect(try contents(xid) == expected)
    let printed = try ChildProcess.run(["sh", "-c", "lz4 -dc '\(log.path)/spool/00000003.open' | wc -c"])
    #expect(Int(printed.trimmed) == expected.count - store.bytesInMemory)
    try store.discard(xid)
    #expect(try files.isEmpty)
  }

  @Test("however many there are, a bound stands in memory")
  func bound() throws {
    for round in 0..<20 as Range<UInt64> {
      for number in 1...300 as ClosedRange<UInt32> {
        try append(TransactionID(rawValue: number), record(2000, round * 1000 + UInt64(number)))
        #expect(store.bytesInMemory <= SpoolStore.pendingLimit)
      }
    }
    #expect(
      try contents(TransactionID(rawValue: 17)) == (0..<20).flatMap { framed(record(2000, $0 * 1000 + 17)) })
    try store.discardOpen()
    #expect(store.bytesInMemory == 0)
    #expect(try files.isEmpty)
  }

  @Test(
    "five hundred random appends, cuts and discards leave what a plain array holds",
    arguments: 0..<20 as Range<UInt64>)
  func random(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var model: [UInt32: [[UInt8]]] = [:]
    for step in 0..<500 as Range<UInt64> {
      let number = UInt32.random(in: 1...4, using: &random)
      let xid = TransactionID(rawValue: number)
      switch Int.random(in: 0..<20, using: &random) {
      case 0:
        model[number] = nil
        try store.discard(xid)
      case 5:
        // Every other record goes.
        let records = model[number] ?? []
        var at = 0
        var ranges: [Range<Int>] = []
        for (index, record) in records.enumerated() {
          if index % 2 == 0 { ranges.append(at..<(at + record.count)) }
          at += record.count
        }
        model[number] = records.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        try store.remove(ranges, of: xid)
      case 1...4:
        let kept = Int.random(in: 0...(model[number]?.count ?? 0), using: &random)
        model[number] = (model[number] ?? []).prefix(kept).map { $0 }
        try store.cut(xid, to: (model[number] ?? []).reduce(0) { $0 + $1.count })
      default:
        let record = record(Int.random(in: 9...60_000, using: &random), seed * 1000 + step)
        model[number, default: []].append(framed(record))
        try append(xid, record)
      }
    }
    for number in 1...4 as ClosedRange<UInt32> {
      #expect(try contents(TransactionID(rawValue: number)) == (model[number] ?? []).flatMap { $0 })
    }
    #expect(store.bytesInMemory <= 4 * SpoolStore.chunkBytes)
  }

  @Test("cut to nothing it leaves no file")
  func cutToNothing() throws {
    try append(xid, record(SpoolStore.chunkBytes + 1, 1))
    #expect(try files.count == 1)
    try store.cut(xid, to: 0)
    #expect(try files.isEmpty)
    try append(xid, record(500, 2))
    #expect(try contents(xid) == framed(record(500, 2)))
    try store.discard(xid)
  }

  @Test("that it is complete is known to the next process, until the directory is gone")
  func complete() throws {
    #expect(!store.isComplete)
    try store.markComplete()
    let next = try SpoolStore(logDirectory: log.path)
    #expect(try next.recover(logEnd: LSN(rawValue: 10)).isEmpty)
    #expect(next.isComplete)
    try SpoolDirectory.doubtCompleteness(logDirectory: log.path)
    #expect(!next.isComplete)
  }

  @Test("a full disk loses nothing: the same call succeeds when there is room")
  func full() throws {
    let large = record(SpoolStore.chunkBytes + 1, 1)
    let group = RecordGroup()
    large.withUnsafeBytes { group.append(walStart: 0, payload: $0) }
    log.disk { $0.isFull = true }
    store.append(xid, group)
    #expect(throws: ChangeLogError.self) { try store.flushExcess(xid) }
    #expect(try contents(xid) == framed(large))
    log.disk { $0.isFull = false }
    try store.flushExcess(xid)
    #expect(store.bytesInMemory == 0)
    #expect(try contents(xid) == framed(large))
  }

  // Prepared transactions.

  private func transaction(_ bytes: Int) -> PreparedTransaction {
    PreparedTransaction(
      xid: xid, gid: "payment – 42", prepareLSN: LSN(rawValue: 20), endLSN: LSN(rawValue: 30),
      prepareTime: Timestamp(rawValue: -5), changes: 2, bytes: bytes)
  }

  private func prepare() throws -> (PreparedTransaction, [UInt8]) {
    let records = [record(SpoolStore.chunkBytes, 1), record(500, 2), record(700, 3)]
    for record in records { try append(xid, record) }
    try store.cut(xid, to: framed(records[0]).count + framed(records[1]).count)
    let expected = framed(records[0]) + framed(records[1])
    let transaction = transaction(expected.count)
    try store.prepare(transaction)
    return (transaction, expected)
  }

  private func preparedContents(_ store: SpoolStore) throws -> [UInt8] {
    var all: [UInt8] = []
    try store.readPrepared(xid) { all += Array($0) }
    return all
  }

  @Test("a prepared transaction outlives the process, the others do not")
  func recovery() throws {
    let (transaction, expected) = try prepare()
    try append(TransactionID(rawValue: 9), record(SpoolStore.chunkBytes + 1, 9))
    #expect(try files == ["00000003.prepared", "00000009.open"])
    let next = try SpoolStore(logDirectory: log.path)
    #expect(try next.recover(logEnd: LSN(rawValue: 10)) == [transaction])
    #expect(try files == ["00000003.prepared"])
    #expect(try preparedContents(next) == expected)
    try next.forgetPrepared(xid)
    #expect(try files.isEmpty)
  }

  @Test("one that was being put into the log is done if the log ends there, else it is prepared as before")
  func interruptedCommit() throws {
    let (transaction, expected) = try prepare()
    try store.beginCommit(xid, end: LSN(rawValue: 0x70))
    #expect(try files == ["00000003.0000000000000070.committing"])
    #expect(try preparedContents(store) == expected)
    let before = try SpoolStore(logDirectory: log.path)
    #expect(try before.recover(logEnd: LSN(rawValue: 0x6F)) == [transaction])
    #expect(try preparedContents(before) == expected)
    try before.beginCommit(xid, end: LSN(rawValue: 0x70))
    let after = try SpoolStore(logDirectory: log.path)
    #expect(try after.recover(logEnd: LSN(rawValue: 0x70)).isEmpty)
    #expect(try files.isEmpty)
  }

  @Test("an empty one is durable too")
  func empty() throws {
    let transaction = transaction(0)
    try store.prepare(transaction)
    #expect(try SpoolStore(logDirectory: log.path).recover(logEnd: LSN(rawValue: 0)) == [transaction])
  }

  @Test("every byte that differs, and every byte that is missing at the end, is noticed")
  func damage() throws {
    _ = try prepare()
    let path = log.path + "/spool/00000003.prepared"
    let file = try LogFile(path: path, mode: .write)
    let size = Int(try file.size())
    // The head, the first chunk's data here and there, and all from the second chunk's header on.
    let places =
      Array(0..<40) + Array(stride(from: 40, to: size - 700, by: 4001)) + Array((size - 700)..<size)
    for place in places {
      var byte: UInt8 = 0
      func put() throws { try withUnsafeBytes(of: byte) { try file.write($0, at: UInt64(place)) } }
      try withUnsafeMutableBytes(of: &byte) { _ = try file.read(at: UInt64(place), into: $0) }
      byte ^= 0x10
      try put()
      // What is kept of a chunk, and the length before its data, are held against the whole by the last frame.
      #expect(throws: ChangeLogError.self, "byte \(place) of \(size)") {
        _ = try SpoolStore(logDirectory: log.path).recover(logEnd: LSN(rawValue: 0))
      }
      byte ^= 0x10
      try put()
    }
    for length in Array(0..<40) + Array((size - 300)..<size) {
      let cut = try LogFile(path: path + "-cut", mode: .create)
      var bytes = [UInt8](repeating: 0, count: length)
      try bytes.withUnsafeMutableBytes { _ = try file.read(at: 0, into: $0) }
      try bytes.withUnsafeBytes { try cut.write($0, at: 0) }
      #expect(throws: ChangeLogError.self, "\(length) of \(size) bytes") {
        _ = try SpoolScanner(path: path + "-cut", calls: .system).scan()
      }
    }
    #expect(try SpoolStore(logDirectory: log.path).recover(logEnd: LSN(rawValue: 0)).count == 1)
  }
}
