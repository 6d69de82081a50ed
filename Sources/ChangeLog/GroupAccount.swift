/// What a group's records amount to, kept while they are appended. A value; it only peeks at payloads.
struct GroupAccount {
  /// Sums over a run of records.
  struct Sums: Hashable {
    var bytes = 0
    var records = 0
    var transactions = 0
    var changes = 0
    var relations = 0

    static func - (a: Sums, b: Sums) -> Sums {
      Sums(
        bytes: a.bytes - b.bytes, records: a.records - b.records,
        transactions: a.transactions - b.transactions, changes: a.changes - b.changes,
        relations: a.relations - b.relations)
    }
  }

  /// Whether the group's first record stands in a transaction; `unknown` while only relations have come.
  enum Opening: Hashable {
    case unknown
    case inside
    case outside
  }

  /// A record that cannot stand where it stands.
  struct Defect: Hashable {
    var offset: Int
    var reason: StaticReason
  }

  enum StaticReason: String, Hashable {
    case empty = "the payload is empty"
    case shortCommit = "a Commit shorter than 26 bytes"
    case shortMessage = "a Message shorter than 10 bytes"
    case beginInside = "a Begin inside a transaction"
    case commitOutside = "a Commit without its Begin"
    case notAdvancing = "a commit that ends no later than the one before it"
    case tooLong = "a payload of 1 GiB or more"
  }

  private(set) var total = Sums()
  /// The sums up to the end of the last transaction.
  private(set) var whole = Sums()
  private(set) var opening = Opening.unknown
  private(set) var inside = false
  private(set) var firstEnd: UInt64 = 0
  private(set) var lastEnd: UInt64 = 0
  private(set) var defect: Defect?

  /// Accounts for the record whose payload this is. Tags as in `proto.c`.
  mutating func note(_ payload: UnsafeRawBufferPointer) {
    let start = total.bytes
    total.bytes &+= LogFormat.recordPrefix &+ payload.count
    total.records &+= 1
    guard payload.count > 0, payload.count < 1 << 30 else {
      return fail(start, payload.count == 0 ? .empty : .tooLong)
    }
    switch payload[0] {
    case UInt8(ascii: "I"), UInt8(ascii: "U"), UInt8(ascii: "D"), UInt8(ascii: "T"):
      total.changes &+= 1
      belongsToTransaction()
    case UInt8(ascii: "B"):
      if inside { fail(start, .beginInside) }
      if opening == .unknown { opening = .outside }
      inside = true
    case UInt8(ascii: "C"):
      guard payload.count >= 26 else { return fail(start, .shortCommit) }
      belongsToTransaction()
      if !inside { fail(start, .commitOutside) }
      total.transactions &+= 1
      inside = false
      complete(payload.bigEndian(at: 10), start)
    case UInt8(ascii: "M"):
      guard payload.count >= 10 else { return fail(start, .shortMessage) }
      total.changes &+= 1
      if inside || payload[1] & 1 == 1 {
        belongsToTransaction()
      } else {
        if opening == .unknown { opening = .outside }
        // Its LSN is where its record starts, which may be just where the last commit ended: it ends past that.
        complete(payload.bigEndian(at: 2) &+ 1, start)
      }
    case UInt8(ascii: "R"), UInt8(ascii: "Y"):
      total.relations &+= 1
    default:
      belongsToTransaction()
    }
  }

  /// Accounts for all records from an offset on.
  mutating func noteAll(_ bytes: LogBytes, from offset: Int = 0) throws(ChangeLogError) {
    try bytes.withUnsafeBytes { bytes throws(ChangeLogError) in
      var records = LogRecordIterator(bytes, from: offset)
      while let record = try records.next() { note(record.payload) }
    }
  }

  private mutating func belongsToTransaction() {
    if opening == .unknown {
      opening = .inside
      inside = true
    }
  }

  private mutating func complete(_ end: UInt64, _ start: Int) {
    if end <= lastEnd { fail(start, .notAdvancing) }
    if firstEnd == 0 { firstEnd = end }
    lastEnd = end
    whole = total
  }

  private mutating func fail(_ offset: Int, _ reason: StaticReason) {
    if defect == nil { defect = Defect(offset: offset, reason: reason) }
  }
}
