import PGOutput

/// A stream in words, a message a word, and back again:
///
/// - `B20` a begin whose commit record stands at 20; `C20:30` that commit, which ends at 30;
/// - `Oname` an origin; `R7`, `Y7`, `I7`, `U7`, `D7`, `T7` what concerns relation or type 7;
/// - `Mprefix/content` a transactional message, `Nprefix/content` one that is not;
/// - `S3` the first block of transaction 3, `s3` a later one, `E` a block's end; inside it `I7@4` is a change of its
///   subtransaction 4; `c3:20:30` its commit, `A3:4` a rollback of its subtransaction 4, `A3:3` of all, `A` of an
///   unknown one;
/// - `b3:20:30` and `P3:20:30` enclose prepared transaction 3; `p3:20:30` prepares a streamed one; `K3:40:50`,
///   `r3:30:50`.
enum StreamScript {
  static func bytes(_ word: Substring) -> [UInt8] {
    if let at = word.lastIndex(of: "@") {
      var bytes = Self.bytes(word[..<at])
      let xid = UInt32(word[word.index(after: at)...]) ?? 0
      bytes.insert(contentsOf: withUnsafeBytes(of: xid.bigEndian) { Array($0) }, at: 1)
      return bytes
    }
    var writer = WireWriter()
    let rest = word.dropFirst()
    let numbers = rest.split(separator: ":").compactMap { UInt64($0) }
    let number = numbers.first ?? 0
    switch word.first {
    case "B":
      Begin(
        finalLSN: LSN(rawValue: number), commitTime: Timestamp(rawValue: 0), xid: TransactionID(rawValue: 7)
      ).encode(to: &writer)
    case "C":
      Commit(
        commitLSN: LSN(rawValue: number), endLSN: LSN(rawValue: numbers.last ?? 0),
        commitTime: Timestamp(rawValue: 0)
      ).encode(to: &writer)
    case "O": Origin(lsn: LSN(rawValue: 1), name: String(rest)).encode(to: &writer)
    case "R":
      Relation(
        id: RelationID(rawValue: UInt32(number)), namespace: "public", name: "t", replicaIdentity: .default,
        columns: []
      ).encode(to: &writer)
    case "Y":
      TypeName(id: TypeOID(rawValue: UInt32(number)), namespace: "public", name: "t").encode(to: &writer)
    case "M", "N":
      let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
      let prefix = Array((parts.first ?? "").utf8)
      let content = Array((parts.last ?? "").utf8)
      LogicalMessage(
        isTransactional: word.first == "M", lsn: LSN(rawValue: 5), prefix: prefix.rawBytes,
        content: content.rawBytes
      ).encode(to: &writer)
    case "S", "s", "E", "c", "A", "b", "P", "p", "K", "r":
      spooled(word.first ?? "E", numbers, to: &writer)
    default:
      // The framer looks at no more of a change than its tag; the relation's number is for reading it back.
      writer.span(Array(word.utf8.prefix(1)).rawBytes)
      writer.uint32(UInt32(number))
    }
    return writer.bytes
  }

  private static func spooled(_ kind: Character, _ numbers: [UInt64], to writer: inout WireWriter) {
    func number(_ index: Int) -> UInt64 { index < numbers.count ? numbers[index] : 0 }
    let xid = TransactionID(rawValue: UInt32(number(0)))
    let (first, second) = (LSN(rawValue: number(1)), LSN(rawValue: number(2)))
    let time = Timestamp(rawValue: 0)
    switch kind {
    case "S", "s": StreamStart(xid: xid, isFirstSegment: kind == "S").encode(to: &writer)
    case "E": StreamStop().encode(to: &writer)
    case "c": StreamCommit(xid: xid, commitLSN: first, endLSN: second, commitTime: time).encode(to: &writer)
    case "A": StreamAbort(xid: xid, subxid: TransactionID(rawValue: UInt32(number(1)))).encode(to: &writer)
    case "b":
      BeginPrepare(prepareLSN: first, endLSN: second, prepareTime: time, xid: xid, gid: "g\(xid)")
        .encode(to: &writer)
    case "P", "p":
      Prepare(prepareLSN: first, endLSN: second, prepareTime: time, xid: xid, gid: "g\(xid)")
        .encode(streamed: kind == "p", to: &writer)
    case "K":
      CommitPrepared(commitLSN: first, endLSN: second, commitTime: time, xid: xid, gid: "g\(xid)")
        .encode(to: &writer)
    default:
      RollbackPrepared(
        prepareEndLSN: first, rollbackEndLSN: second, prepareTime: time, rollbackTime: time, xid: xid,
        gid: "g\(xid)"
      ).encode(to: &writer)
    }
  }

  static func word(_ bytes: [UInt8]) -> String {
    guard let tag = bytes.first else { return "" }
    let letter = String(decoding: [tag], as: UTF8.self)
    func number(_ offset: Int, _ count: Int) -> UInt64 {
      bytes.dropFirst(offset).prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
    }
    switch letter {
    case "B": return "B\(number(1, 8))"
    case "C": return "C\(number(2, 8)):\(number(10, 8))"
    case "O": return "O" + String(decoding: bytes.dropFirst(9).dropLast(), as: UTF8.self)
    case "M":
      let parts = bytes.dropFirst(10).split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
      return (bytes[1] == 1 ? "M" : "N") + String(decoding: parts[0], as: UTF8.self) + "/"
        + String(decoding: parts.dropFirst().joined().dropFirst(4), as: UTF8.self)
    default: return "\(letter)\(number(1, 4))"
    }
  }
}
