import ChangeLog
import Logging
import PGOutput

@testable import Capture
@testable import Postgres

/// Slot -> change log by the product's own capture, as `CaptureSession` starts it, but with any publication and any
/// options. The one place that knows how capture is started.
final class LiveCapture {
  private let status = CaptureStatusBoard()
  private let directory: String
  private let start: LSN
  private let interrupt: Interrupt
  private let logWorker: Worker<Bool>
  private let streamWorker: Worker<CaptureError?>

  struct NoDescriptors: Error {}

  /// What the product asks for in this mode. What the slot definition has no word for is out of its reach.
  static func options(_ mode: StreamMode, publications: [String], options: [StreamOption], major: Int)
    -> PgoutputOptions?
  {
    var stream = PgoutputOptions(
      protocolVersion: mode.format.protocolVersion.rawValue, publications: publications,
      streaming: mode.streaming, twoPhase: mode.isTwoPhase, binary: false, messages: major >= 14,
      withoutOrigins: false)
    for option in options {
      switch (option.name, option.value) {
      case ("binary", "true"): stream.binary = true
      case ("origin", "none"): stream.withoutOrigins = true
      default: return nil
      }
    }
    return stream
  }

  init(conninfo: String, slot: String, start: LSN, options: PgoutputOptions, directory: String) throws {
    guard let interrupt = Interrupt() else { throw NoDescriptors() }
    self.interrupt = interrupt
    self.directory = directory
    self.start = start
    let plan = CapturePlan(
      connection: conninfo, slot: slot, publication: "", table: .init(schema: "", name: "", columns: []),
      directory: directory, segmentSize: 64 << 20, ownOrigin: "crossfade", ownPrefix: "crossfade")
    let source = try Source(plan: plan, interrupt: interrupt)
    let writer = try ChangeLogWriter.open(
      directory: directory,
      origin: OriginIdentity(
        systemIdentifier: source.system.systemIdentifier, timeline: source.system.timeline,
        databaseOID: source.databaseOID, slot: slot,
        creationPoint: start),
      start: start)
    let feed = LogFeed(durable: writer.watermark, interrupt: interrupt)
    let thread = LogThread(
      writer: writer, spools: try SpoolStore(logDirectory: directory), feed: feed, tail: LogTail(),
      status: status, interrupt: interrupt,
      logger: Logger(label: "scenario"))
    logWorker = Worker<Bool> {
      thread.run()
      return true
    }
    let stream = try ReplicationStream(on: source.replication, slot: slot, start: start, options: options)
    let session = Stream(
      stream: stream, source: source, feed: feed, start: start, status: status, interrupt: interrupt)
    streamWorker = Worker<CaptureError?> { session.run() }
  }

  deinit { interrupt.stop() }

  /// Whether the stream has ended: the server has refused to go on.
  var hasEnded: Bool { streamWorker.isFinished }

  /// How far the log is durable.
  var standing: LSN { status.current.logged }

  /// Whether all up to here is in the log, durably.
  func hasReached(_ lsn: LSN) -> Bool { hasEnded || standing >= lsn }

  /// Ends the capture in order, then reads its log from the beginning.
  func read(into consumer: inout some RecordConsumer) async throws {
    interrupt.stop()
    let failure = await streamWorker.value
    _ = await logWorker.value
    let reader = try LogReader(directory: directory, after: start)
    while let chunk = try reader.next(timeout: .zero) {
      try chunk.withUnsafeBytes { bytes throws in
        var records = LogRecordIterator(bytes)
        while let record = try records.next() {
          // The log's records are protocol 1 whatever was negotiated.
          try consumer.take([UInt8](record.payload).rawBytes, format: .v1)
        }
      }
    }
    switch failure {
    case nil: break
    case .postgres(.server(let error)): consumer.serverError(error)
    case .some(let error): throw error
    }
  }
}

/// The stream's thread.
private struct Stream: @unchecked Sendable {
  let stream: ReplicationStream
  let source: Source
  let feed: LogFeed
  let start: LSN
  let status: CaptureStatusBoard
  let interrupt: Interrupt

  /// Nil when it was told to stop.
  func run() -> CaptureError? {
    var source = SourceStream(
      stream: stream, feed: feed, status: status, interrupt: interrupt,
      framer: StreamFramer(
        ownOrigin: "crossfade", ownPrefix: "crossfade", ownContent: "scenario", prepared: [],
        spoolIsComplete: true),
      start: start, reportInterval: 1_000_000_000, confirmationLimit: nil, appliedPosition: { .invalid },
      rolledBack: { [from = self.source] (subtransactions, between) throws(CaptureError) in
        try RolledBack.among(subtransactions, of: from, between: between)
      })
    defer { feed.close() }
    do {
      let end = try source.run()
      let durable = try feed.settle()
      if case .stopped = end { try source.finish(durable: durable) }
      return nil
    } catch {
      _ = try? feed.settle()
      return error
    }
  }
}
