import PGOutput

/// A stream made by hand, message by message, as a recording. Its one table is 7, `pg_catalog.t`.
final class StreamBuilder {
  private(set) var bytes: [UInt8] = []
  private let table = RelationID(rawValue: 7)
  private let lsn = LSN(rawValue: 16)
  private let time = Timestamp(rawValue: 0)

  /// What it commits, a transaction a line: `xid gid: value value`.
  func committed(format: StreamFormat = .any) throws -> [String] {
    try decode(bytes, format: format).split(separator: "\n").map { line in
      let xid = line.firstMatch(of: /"xid":(\d+)/)?.1 ?? ""
      let gid = line.firstMatch(of: /"gid":"([^"]+)"/).map { " \($0.1)" } ?? ""
      let values = line.matches(of: /"new":{"[^"]+":"([^"]*)"/).map(\.1)
      return "\(xid)\(gid): \(values.joined(separator: " "))"
    }
  }

  /// What its order is refused for.
  func problem() -> AssemblyError? {
    do {
      _ = try decode(bytes)
      return nil
    } catch {
      guard case .recording(let error) = error as? RecordingFailure<Never>,
        case .order(let problem) = error.reason
      else { return nil }
      return problem
    }
  }

  @discardableResult
  private func add(_ message: borrowing Message) -> Self {
    RecordHeader.append(encoded(message).rawBytes, walStart: .invalid, to: &bytes)
    return self
  }

  private func id(_ xid: UInt32) -> TransactionID { TransactionID(rawValue: xid) }
}

extension StreamBuilder {
  @discardableResult
  func begin(_ xid: UInt32) -> Self { add(.begin(Begin(finalLSN: lsn, commitTime: time, xid: id(xid)))) }

  @discardableResult
  func commit() -> Self { add(.commit(Commit(commitLSN: lsn, endLSN: lsn, commitTime: time))) }

  @discardableResult
  func relation(in xid: UInt32? = nil, column names: String...) -> Self {
    let columns = (names.isEmpty ? ["value"] : names).map { Column(name: $0, type: TypeOID(rawValue: 25)) }
    return add(
      .relation(
        Relation(
          xid: xid.map(id), id: table, namespace: "", name: "t", replicaIdentity: .full, columns: columns)))
  }

  @discardableResult
  func insert(_ value: String, in xid: UInt32? = nil) -> Self {
    let row = OwnedTuple([.text(value)])
    guard let view = try? row.view else { return self }
    return add(.insert(Insert(xid: xid.map(id), relation: table, new: view)))
  }

  @discardableResult
  func start(_ xid: UInt32, first: Bool = true) -> Self {
    add(.streamStart(StreamStart(xid: id(xid), isFirstSegment: first)))
  }

  @discardableResult
  func stop() -> Self { add(.streamStop(StreamStop())) }

  @discardableResult
  func abort(_ xid: UInt32, _ subxid: UInt32) -> Self {
    add(.streamAbort(StreamAbort(xid: id(xid), subxid: id(subxid))))
  }

  @discardableResult
  func streamCommit(_ xid: UInt32) -> Self {
    add(.streamCommit(StreamCommit(xid: id(xid), commitLSN: lsn, endLSN: lsn, commitTime: time)))
  }

  @discardableResult
  func beginPrepare(_ xid: UInt32) -> Self {
    add(
      .beginPrepare(
        BeginPrepare(prepareLSN: lsn, endLSN: lsn, prepareTime: time, xid: id(xid), gid: "gid-\(xid)")))
  }

  @discardableResult
  func prepare(_ xid: UInt32) -> Self {
    add(.prepare(Prepare(prepareLSN: lsn, endLSN: lsn, prepareTime: time, xid: id(xid), gid: "gid-\(xid)")))
  }

  @discardableResult
  func commitPrepared(_ xid: UInt32) -> Self {
    add(
      .commitPrepared(
        CommitPrepared(commitLSN: lsn, endLSN: lsn, commitTime: time, xid: id(xid), gid: "gid-\(xid)")))
  }

  @discardableResult
  func rollbackPrepared(_ xid: UInt32) -> Self {
    add(
      .rollbackPrepared(
        RollbackPrepared(
          prepareEndLSN: lsn, rollbackEndLSN: lsn, prepareTime: time, rollbackTime: time, xid: id(xid),
          gid: "gid-\(xid)")))
  }
}
