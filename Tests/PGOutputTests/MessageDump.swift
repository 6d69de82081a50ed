import PGOutput

/// A message as one line, every field of it, so that a test shows what was read.
func dump(_ payload: [UInt8], format: StreamFormat = .v1) throws(DecodeError) -> String {
  let message = try Message(decoding: payload.rawBytes, format: format)
  switch message {
  case .begin(let m): return "Begin final=\(m.finalLSN) time=\(m.commitTime) xid=\(m.xid)"
  case .commit(let m): return "Commit commit=\(m.commitLSN) end=\(m.endLSN) time=\(m.commitTime)"
  case .origin(let m): return "Origin lsn=\(m.lsn) name=\(m.name)"
  case .relation(let m):
    let columns = m.columns.map { "\($0.isKey ? "*" : "")\($0.name) \($0.type) \($0.typeModifier)" }
    return "Relation\(streamed(m.xid)) id=\(m.id) \(m.namespace)|\(m.name) \(m.replicaIdentity) \(columns)"
  case .type(let m): return "Type\(streamed(m.xid)) id=\(m.id) \(m.namespace)|\(m.name)"
  case .insert(let m): return "Insert\(streamed(m.xid)) relation=\(m.relation) new=\(dump(m.new))"
  case .update(let m):
    var old = ""
    if let tuple = m.old { old = " \(m.oldKind)=\(dump(tuple))" }
    return "Update\(streamed(m.xid)) relation=\(m.relation)\(old) new=\(dump(m.new))"
  case .delete(let m): return "Delete\(streamed(m.xid)) relation=\(m.relation) \(m.oldKind)=\(dump(m.old))"
  case .truncate(let m):
    let flags = (m.isCascade ? " cascade" : "") + (m.restartsIdentity ? " restart" : "")
    return "Truncate\(streamed(m.xid))\(flags) \(m.relations)"
  case .message(let m):
    return "Message\(streamed(m.xid)) transactional=\(m.isTransactional) lsn=\(m.lsn) "
      + "\(m.prefix.utf8String ?? "?")=\(hex(Array(m.content)))"
  case .streamStart(let m): return "StreamStart xid=\(m.xid) first=\(m.isFirstSegment)"
  case .streamStop: return "StreamStop"
  case .streamCommit(let m):
    return "StreamCommit xid=\(m.xid) commit=\(m.commitLSN) end=\(m.endLSN) time=\(m.commitTime)"
  case .streamAbort(let m):
    let place = m.place.map { " lsn=\($0.lsn) time=\($0.time)" } ?? ""
    return "StreamAbort xid=\(m.xid) subxid=\(m.subxid)\(place)"
  case .beginPrepare(let m):
    return
      "BeginPrepare prepare=\(m.prepareLSN) end=\(m.endLSN) time=\(m.prepareTime) xid=\(m.xid) gid=\(m.gid)"
  case .prepare(let m):
    return "Prepare prepare=\(m.prepareLSN) end=\(m.endLSN) time=\(m.prepareTime) xid=\(m.xid) gid=\(m.gid)"
  case .commitPrepared(let m):
    return
      "CommitPrepared commit=\(m.commitLSN) end=\(m.endLSN) time=\(m.commitTime) xid=\(m.xid) gid=\(m.gid)"
  case .rollbackPrepared(let m):
    return "RollbackPrepared prepareEnd=\(m.prepareEndLSN) rollbackEnd=\(m.rollbackEndLSN) "
      + "prepared=\(m.prepareTime) time=\(m.rollbackTime) xid=\(m.xid) gid=\(m.gid)"
  case .streamPrepare(let m):
    return
      "StreamPrepare prepare=\(m.prepareLSN) end=\(m.endLSN) time=\(m.prepareTime) xid=\(m.xid) gid=\(m.gid)"
  }
}

/// `(text:a, null, unchanged, binary:00ff)`
func dump(_ tuple: borrowing TupleView) -> String {
  var parts: [String] = []
  tuple.forEachColumn { _, value in
    switch value {
    case .null: parts.append("null")
    case .unchanged: parts.append("unchanged")
    case .text(let bytes): parts.append("text:\(bytes.utf8String ?? "?")")
    case .binary(let bytes): parts.append("binary:\(hex(Array(bytes)))")
    }
  }
  return "(\(parts.joined(separator: ", ")))"
}

private func streamed(_ xid: TransactionID?) -> String { xid.map { " xid=\($0)" } ?? "" }
