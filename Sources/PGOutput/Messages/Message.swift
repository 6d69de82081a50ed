/// One message of pgoutput, over the bytes it came in.
public enum Message: ~Escapable {
  /// `B`
  case begin(Begin)
  /// `C`
  case commit(Commit)
  /// `O`
  case origin(Origin)
  /// `R`
  case relation(Relation)
  /// `Y`
  case type(TypeName)
  /// `I`
  case insert(Insert)
  /// `U`
  case update(Update)
  /// `D`
  case delete(Delete)
  /// `T`
  case truncate(Truncate)
  /// `M`
  case message(LogicalMessage)
  /// `S`
  case streamStart(StreamStart)
  /// `E`
  case streamStop(StreamStop)
  /// `c`
  case streamCommit(StreamCommit)
  /// `A`
  case streamAbort(StreamAbort)
  /// `b`
  case beginPrepare(BeginPrepare)
  /// `P`
  case prepare(Prepare)
  /// `K`
  case commitPrepared(CommitPrepared)
  /// `r`
  case rollbackPrepared(RollbackPrepared)
  /// `p`
  case streamPrepare(Prepare)

  /// Reads a message, all of it: bytes left over are an error.
  @_lifetime(copy payload)
  public init(decoding payload: RawSpan, format: StreamFormat = .v1) throws(DecodeError) {
    var reader = WireReader(payload)
    guard !payload.isEmpty else { throw DecodeError(offset: 0, message: 0, problem: .empty) }
    let byte = try reader.uint8("message")
    guard let tag = MessageTag(rawValue: byte) else {
      throw DecodeError(offset: 0, message: byte, problem: .unknownMessage)
    }
    guard tag.since <= format.protocolVersion else {
      throw DecodeError(
        offset: 0, message: byte, problem: .notSpoken(needs: tag.since, spoken: format.protocolVersion))
    }
    switch tag {
    case .begin: self = .begin(try Begin(from: &reader))
    case .commit: self = .commit(try Commit(from: &reader))
    case .origin: self = .origin(try Origin(from: &reader))
    case .relation: self = .relation(try Relation(from: &reader, format: format))
    case .type: self = .type(try TypeName(from: &reader, format: format))
    case .insert: self = .insert(try Insert(from: &reader, format: format))
    case .update: self = .update(try Update(from: &reader, format: format))
    case .delete: self = .delete(try Delete(from: &reader, format: format))
    case .truncate: self = .truncate(try Truncate(from: &reader, format: format))
    case .message: self = .message(try LogicalMessage(from: &reader, format: format))
    case .streamStart: self = .streamStart(try StreamStart(from: &reader))
    case .streamStop: self = .streamStop(StreamStop())
    case .streamCommit: self = .streamCommit(try StreamCommit(from: &reader))
    case .streamAbort: self = .streamAbort(try StreamAbort(from: &reader, format: format))
    case .beginPrepare: self = .beginPrepare(try BeginPrepare(from: &reader))
    case .prepare: self = .prepare(try Prepare(from: &reader))
    case .commitPrepared: self = .commitPrepared(try CommitPrepared(from: &reader))
    case .rollbackPrepared: self = .rollbackPrepared(try RollbackPrepared(from: &reader))
    case .streamPrepare: self = .streamPrepare(try Prepare(from: &reader))
    }
    try reader.finish()
  }

  /// Writes the message. Whether it carries a transaction id is in the message itself.
  public func encode(to writer: inout WireWriter) {
    switch self {
    case .begin(let message): message.encode(to: &writer)
    case .commit(let message): message.encode(to: &writer)
    case .origin(let message): message.encode(to: &writer)
    case .relation(let message): message.encode(to: &writer)
    case .type(let message): message.encode(to: &writer)
    case .insert(let message): message.encode(to: &writer)
    case .update(let message): message.encode(to: &writer)
    case .delete(let message): message.encode(to: &writer)
    case .truncate(let message): message.encode(to: &writer)
    case .message(let message): message.encode(to: &writer)
    case .streamStart(let message): message.encode(to: &writer)
    case .streamStop(let message): message.encode(to: &writer)
    case .streamCommit(let message): message.encode(to: &writer)
    case .streamAbort(let message): message.encode(to: &writer)
    case .beginPrepare(let message): message.encode(to: &writer)
    case .prepare(let message): message.encode(streamed: false, to: &writer)
    case .commitPrepared(let message): message.encode(to: &writer)
    case .rollbackPrepared(let message): message.encode(to: &writer)
    case .streamPrepare(let message): message.encode(streamed: true, to: &writer)
    }
  }
}
