/// Reads a recording in pieces and prints what it commits. Holds the piece, one record, and whatever its store
/// holds in memory.
public struct RecordingDecoder<Store: LineStore> {
  private let format: StreamFormat
  private var reader = RecordReader()
  private var assembler = TransactionAssembler()
  private var printer: TransactionPrinter<Store>
  /// Prepared transactions whose commit came, but not their changes.
  public private(set) var unseen: [CommitPrepared] = []

  /// A decoder; without a format, the bytes tell.
  public init(store: Store, format: StreamFormat = .any) {
    self.format = format
    printer = TransactionPrinter(store: store)
  }

  /// Where changes wait and lines go.
  public var store: Store {
    get { printer.store }
    set { printer.store = newValue }
  }

  /// The transactions that have not ended, by number.
  public var unfinished: [UnfinishedTransaction] { assembler.unfinished }

  /// Takes the file's next bytes.
  public mutating func feed(_ bytes: RawSpan) throws(RecordingFailure<Store.Failure>) {
    // A record borrows the reader, so the reader stands outside of `self` while records are taken.
    var reader = RecordReader()
    swap(&reader, &self.reader)
    defer { swap(&reader, &self.reader) }
    reader.feed(bytes)
    while let record = try Self.next(&reader) { try take(record) }
  }

  /// Checks, when the file has ended, that it ended where a record ends.
  public func finish() throws(RecordingFailure<Store.Failure>) {
    do throws(RecordError) {
      try reader.finish()
    } catch {
      throw .recording(RecordingError(byte: error.offset, reason: .record(error)))
    }
  }

  @_lifetime(&reader)
  private static func next(_ reader: inout RecordReader) throws(RecordingFailure<Store.Failure>)
    -> RecordView?
  {
    do throws(RecordError) {
      return try reader.next()
    } catch {
      throw .recording(RecordingError(byte: error.offset, reason: .record(error)))
    }
  }

  private mutating func take(_ record: RecordView) throws(RecordingFailure<Store.Failure>) {
    let message: Message
    do throws(DecodeError) {
      message = try Message(
        decoding: record.payload, format: format.insideStream(assembler.isInsideStream))
    } catch {
      let byte = record.payloadOffset + UInt64(error.offset)
      throw .recording(RecordingError(byte: byte, reason: .message(error)))
    }
    let event: AssemblyEvent
    do throws(AssemblyError) {
      event = try assembler.take(message)
    } catch {
      throw .recording(RecordingError(byte: record.payloadOffset, reason: .order(error)))
    }
    if case .commitUnseen(let commit) = event { unseen.append(commit) }
    do throws(Store.Failure) {
      try printer.take(event)
    } catch {
      throw .output(error)
    }
  }
}
