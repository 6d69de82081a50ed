import Capture
import ChangeLog
import Glibc
import Logging
import Operations
import PGOutput
import Postgres

/// Capture alone, in a process of its own so that its memory and processor time are its own: slot -> fsynced log, up
/// to a position. What `crossfade run` does, without a target.
enum CaptureWorker {
  static let verb = "capture-worker"

  /// Arguments: connection string, slot, publication, log directory, end position.
  static func run(_ arguments: [String]) -> Int32 {
    guard arguments.count == 5, let end = LSN(arguments[4]), let interrupt = Interrupt() else { return 64 }
    let plan = CapturePlan(
      connection: arguments[0], slot: arguments[1], publication: arguments[2],
      table: .init(schema: "public", name: "transactions", columns: ["id", "status", "state_id"]),
      directory: arguments[3], segmentSize: 64 << 20, ownOrigin: "crossfade_none", ownPrefix: "crossfade")
    let logger = Logger(label: "capture") { LineLogHandler(label: $0, format: .text, level: .warning) }
    let service = CaptureService(
      plan: plan, logger: logger, interrupt: interrupt, tail: LogTail(),
      checkpoint: { () throws(PostgresError) -> LSN? in nil }, confirmationLimit: nil,
      appliedPosition: { .invalid }, opened: { _ in })
    let board = service.status
    let watcher = Worker<Bool> {
      while board.current.logged < end, board.current.phase != .stopped { usleep(500) }
      interrupt.stop()
      return true
    }
    do {
      try service.run()
    } catch {
      LineSink.standardError.write(line: "capture failed: \(error)")
      return 1
    }
    _ = watcher
    return board.current.logged >= end ? 0 : 1
  }
}
