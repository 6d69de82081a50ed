import Capture
import ChangeLog
import Derivation
import DualWrite
import Glibc
import Logging
import Migration
import Operations
import PGOutput
import Postgres
import Synchronization

/// Capture, log and dual-write of one slot, wired: each on threads of its own.
final class Pipeline: Sendable {
  let definition: SlotDefinition
  let capture: CaptureService
  let dualWrite: DualWriteService
  private let captureInterrupt: Interrupt
  private let dualWriteInterrupt: Interrupt
  let keeper: LogKeeper
  private let opened: Opening
  let tail: LogTail
  private let logger: Logger

  /// How long the dual-write may go on applying what is logged after a stop was asked for.
  private static let drainMilliseconds = 30_000

  init(_ definition: SlotDefinition, logger: (String) -> Logger) throws(Failure) {
    guard let captureInterrupt = Interrupt(), let dualWriteInterrupt = Interrupt() else {
      throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
    }
    self.definition = definition
    self.captureInterrupt = captureInterrupt
    self.dualWriteInterrupt = dualWriteInterrupt
    self.logger = logger("run")
    let tail = LogTail()
    self.tail = tail
    let opening = Opening()
    opened = opening
    let plan = DualWritePlan(definition)
    let dualWrite = DualWriteService(
      plan: plan, directory: definition.log.directory,
      restore: try definition.log.restoreCommand().map { LogRestore($0) }, tail: tail,
      logger: logger("dual-write"), interrupt: dualWriteInterrupt)
    self.dualWrite = dualWrite
    let status = dualWrite.status
    capture = CaptureService(
      plan: CapturePlan(definition), logger: logger("capture"), interrupt: captureInterrupt, tail: tail,
      checkpoint: { () throws(PostgresError) -> LSN? in
        let connection = try Connection(
          plan.connection, options: .init(applicationName: "crossfade \(plan.slot)"),
          interrupt: captureInterrupt)
        try WriteMark.require(on: connection)
        return try Checkpoint.load(slot: plan.slot, on: connection)?.endLSN
      },
      confirmationLimit: definition.confirm == .applied ? { @Sendable () -> LSN in status.applied } : nil,
      appliedPosition: { status.applied },
      opened: { opening.open($0) })
    let capturing = capture.status
    keeper = try LogKeeper(definition.log, logger: logger("log")) {
      let captured = capturing.current
      return KeeperPositions(
        checkpoint: status.current.durableCheckpoint, logged: captured.logged, confirmed: captured.confirmed)
    }
  }

  /// Runs until stopped or until something fails for good.
  func run() async throws(Failure) {
    let capturing = Worker<CaptureError?> { [capture, opened] in
      defer { opened.close() }
      do throws(CaptureError) { try capture.run() } catch { return error }
      return nil
    }
    let applying = Worker<DualWriteError?> { [dualWrite, opened, captureInterrupt] in
      guard let origin = opened.wait() else { return nil }
      do throws(DualWriteError) { try dualWrite.run(origin: origin, start: origin.creationPoint) } catch {
        captureInterrupt.stop()
        return error
      }
      return nil
    }
    let keeping = Worker<Bool> { [keeper, opened] in
      guard opened.wait() != nil else { return false }
      keeper.run()
      return true
    }
    let noting = Worker<Bool> { [dualWrite, opened, definition, logger, dualWriteInterrupt] in
      guard opened.wait() != nil else { return false }
      CapturingPhase(definition: definition, interrupt: dualWriteInterrupt, logger: logger).enter {
        dualWrite.status.current.durableCheckpoint != .invalid
      }
      return true
    }
    let captureError = await capturing.value
    let drained = Worker<Bool> { [dualWriteInterrupt] in
      dualWriteInterrupt.wait(milliseconds: Self.drainMilliseconds)
      dualWriteInterrupt.stop()
      return true
    }
    let dualWriteError = await applying.value
    dualWriteInterrupt.stop()
    _ = await drained.value
    _ = await noting.value
    keeper.stop()
    _ = await keeping.value
    if let dualWriteError { throw Failure(dualWriteError) }
    if let captureError { throw Failure(captureError) }
    let (captured, applied) = (capture.status.current, dualWrite.status.current)
    logger.notice(
      "stopped in order",
      metadata: [
        "logged": "\(captured.logged)", "confirmed": "\(captured.confirmed)", "applied": "\(applied.applied)",
        "transactions": "\(captured.transactions)", "changes": "\(captured.changes)",
        "rows": "\(applied.rows)",
      ])
  }

  /// Asks for an orderly stop: capture settles and confirms, the dual-write applies what is logged.
  func stop() {
    captureInterrupt.stop()
  }
}

/// The moment at which the log is open, for those who wait for it.
private final class Opening: Sendable {
  private struct State {
    var origin: OriginIdentity?
    var closed = false
  }

  private let state = Monitor(State())

  func open(_ origin: OriginIdentity) { state.change { $0.origin = origin } }

  func close() { state.change { $0.closed = true } }

  /// The log's origin; nil when capture has ended without opening it.
  func wait() -> OriginIdentity? {
    let found = state.wait(until: nil) { state -> OriginIdentity?? in
      if let origin = state.origin { return .some(origin) }
      return state.closed ? .some(nil) : nil
    }
    return found ?? nil
  }
}

extension CapturePlan {
  /// The plan of a slot definition.
  init(_ definition: SlotDefinition) {
    let derive = definition.derive
    self.init(
      connection: definition.source.revealed, slot: definition.slot, publication: definition.publication.name,
      table: .init(
        schema: derive.table.schema.name, name: derive.table.name.name,
        columns: derive.key.map(\.name) + [derive.from.name, derive.to.name]
          + definition.events.columns.map(\.name), mayBeGone: [derive.from.name],
        status: derive.from.name),
      directory: definition.log.directory, segmentSize: definition.log.segment.bytes,
      ownOrigin: DualWritePlan.origin(slot: definition.slot), ownPrefix: DualWritePlan.messagePrefix,
      ownCorrections: OwnMarks.correction,
      wishes: StreamWishes(definition.stream), failover: definition.stream.failover)
  }
}
