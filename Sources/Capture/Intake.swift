import ChangeLog
import PGOutput

/// What is to be done with the log and the spools, in the order of the stream.
enum LogStep {
  /// Append to the log.
  case log(RecordGroup)
  /// Append to a transaction's spool.
  case spool(TransactionID, RecordGroup)
  /// Do something to a spool.
  case spoolStep(SpoolStep)
}

/// Gathers what the stream brings until the writer takes it: runs of records for one place each, and steps between.
///
/// Used by one thread at a time, behind the feed's lock.
final class Intake {
  static let initialCapacity = 64 * 1024

  private var steps: [LogStep] = []
  private var group: RecordGroup
  /// Where `group` goes; nil is the log.
  private var destination: TransactionID?
  /// Bytes in the steps before `group`.
  private var closedBytes = 0

  init(capacity: Int = Intake.initialCapacity) { group = RecordGroup(capacity: capacity) }

  /// Bytes gathered, of log and spools.
  var byteCount: Int { closedBytes &+ group.byteCount }
  /// Whether there is nothing to do.
  var isEmpty: Bool { steps.isEmpty && group.isEmpty }

  /// Adds a record of the log.
  func log(walStart: UInt64, payload: UnsafeRawBufferPointer) {
    if destination != nil { turn(to: nil) }
    group.append(walStart: walStart, payload: payload)
  }

  /// Adds a record of a spool, without the transaction id after its tag.
  func spool(_ xid: TransactionID, walStart: UInt64, payload: UnsafeRawBufferPointer, idSize: Int) {
    if destination != xid { turn(to: xid) }
    group.append(walStart: walStart, payload: payload, idSize: idSize)
  }

  /// Adds something to do with a spool.
  func add(_ step: SpoolStep) {
    close()
    steps.append(.spoolStep(step))
    // So that a stream of nothing but steps has a bound too.
    closedBytes &+= 64
  }

  /// Everything gathered, in order.
  func finish() -> [LogStep] {
    close()
    return steps
  }

  private func turn(to place: TransactionID?) {
    close()
    destination = place
  }

  private func close() {
    guard !group.isEmpty else { return }
    closedBytes &+= group.byteCount
    steps.append(destination.map { .spool($0, group) } ?? .log(group))
    group = RecordGroup(capacity: 4 * 1024)
  }
}
