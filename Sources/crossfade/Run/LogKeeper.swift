import Capture
import ChangeLog
import Derivation
import DualWrite
import Foundation
import Logging
import Operations
import PGOutput
import Postgres
import Synchronization

/// Keeps the log of a running slot: notes how far the dual-write is, archives what is sealed, drops what retention lets
/// go. On a thread of its own: a slow command delays nothing else.
final class LogKeeper: Sendable {
  private let log: SlotDefinition.Log
  private let commands: (archive: ShellCommand?, restore: ShellCommand?)
  private let rules: RetentionRules
  private let positions: @Sendable () -> KeeperPositions
  private let logger: Logger
  private let interrupt: Interrupt
  private let board = Mutex(KeeperStatus())

  /// The time between two notes of the dual-write's position, and looks at what retention lets go. A note is a sync
  /// beside the log's own.
  private static let interval = Duration.seconds(5)

  init(
    _ log: SlotDefinition.Log, logger: Logger, positions: @escaping @Sendable () -> KeeperPositions
  ) throws(Failure) {
    guard let interrupt = Interrupt() else {
      throw Failure(summary: "out of file descriptors", hint: "raise the limit (ulimit -n)", exitCode: 71)
    }
    self.log = log
    self.interrupt = interrupt
    self.logger = logger
    self.positions = positions
    commands = (try log.archiveCommand(), try log.restoreCommand())
    rules = log.rules
    board.withLock { $0.keepsAll = log.retain.keepsAll }
  }

  /// How it stands.
  var status: KeeperStatus { board.withLock { $0 } }

  /// Ends `run`, and the command that it may be waiting for.
  func stop() { interrupt.stop() }

  /// Works until stopped. The log must be there.
  func run() {
    let readers = LogReaders(directory: log.directory)
    let archiver = commands.archive.map {
      LogArchiver(directory: log.directory, archive: $0, restore: commands.restore)
    }
    board.withLock { $0.archive = archiver?.status }
    var noted: LSN?
    var held: RetentionPlan.Held?
    var next = ContinuousClock.now
    var isBusy = false
    repeat {
      if ContinuousClock.now >= next {
        // An older note may lie past the checkpoint: a server that crashed has gone back.
        let isNoted = note(readers, &noted)
        if !rules.isEmpty, isNoted { retain(&held) }
        next = .now + (isNoted ? Self.interval : .seconds(1))
      }
      isBusy = archiver.map { archive($0) } ?? false
    } while isBusy ? !interrupt.isStopped : !interrupt.wait(milliseconds: 1000)
    note(readers, &noted)
  }

  /// Notes the durable checkpoint, for retention: it may lag, as the checkpoint itself is in the target. True when
  /// what is noted is no later than that checkpoint, which this process must have seen.
  @discardableResult
  private func note(_ readers: LogReaders, _ noted: inout LSN?) -> Bool {
    do throws(ChangeLogError) {
      if noted == nil {
        noted = try readers.register(NamedReader.dualWrite, kind: NamedReader.dualWrite).position.endLSN
      }
      let now = positions()
      // A log that was begun anew may end before the checkpoint.
      guard now.checkpoint.isValid, now.checkpoint <= now.logged else {
        if !rules.isEmpty {
          board.withLock { $0.held = "the dual-write's checkpoint is not known to be durable" }
        }
        return false
      }
      guard now.checkpoint != noted else { return true }
      try readers.move(NamedReader.dualWrite, to: Position(endLSN: now.checkpoint), end: now.logged)
      noted = now.checkpoint
      return true
    } catch {
      // It may have been forgotten: the next time it registers again.
      noted = nil
      say("the dual-write's position cannot be noted: \(error)")
      return false
    }
  }

  /// Archives a segment, if it is time to; whether another may follow at once.
  private func archive(_ archiver: LogArchiver) -> Bool {
    let step = archiver.step { self.interrupt.isStopped }
    board.withLock { $0.archive = archiver.status }
    switch step {
    case .archived(let segment):
      logger.info(
        "archived",
        metadata: [
          "segment": "\(segment.name)", "bytes": "\(segment.bytes)", "through": "\(segment.watermark)",
          "verified": "\(segment.isVerified)",
        ])
      return true
    case .failed(let segment, let reason, let failures, let wait):
      logger.warning(
        "not archived: \(reason)",
        metadata: [
          "segment": "\(segment)", "failures": "\(failures)", "again_in": "\(wait.components.seconds)s",
        ])
    case .nothing, .stopped: break
    }
    return false
  }

  private func retain(_ held: inout RetentionPlan.Held?) {
    var rules = rules
    let confirmed = positions().confirmed
    rules.confirmed = confirmed.isValid ? confirmed : nil
    do throws(ChangeLogError) {
      let plan = try LogPruner(directory: log.directory).prune(rules)
      if !plan.drops.isEmpty {
        logger.notice(
          "dropped by retention",
          metadata: [
            "segments": "\(plan.drops.count)", "bytes": "\(plan.bytes)",
            "first": "\(plan.firstAfter ?? .invalid)", "why": "\(plan.drops[0].reason.rawValue)",
          ])
      }
      for hurt in plan.hurts {
        logger.warning(
          "a reader lost a part of the log: it was further behind than log.retain.reader_lag lets it",
          metadata: ["reader": "\(hurt.name)", "after": "\(hurt.from)", "up_to": "\(hurt.to)"])
      }
      if plan.held?.hold.kind != held?.hold.kind, let now = plan.held {
        logger.info("retention waits: \(now.hold)", metadata: ["segment": "\(PruneReport.name(now.start))"])
      }
      held = plan.held
      board.withLock { board in
        board.dropped += plan.drops.count
        board.held = plan.held.map { "\(PruneReport.name($0.start)): \($0.hold)" }
        board.trouble = nil
      }
    } catch {
      say("retention: \(error)")
    }
  }

  /// Says a trouble once, as long as it is the same.
  private func say(_ trouble: String) {
    let isNew = board.withLock { board in
      defer { board.trouble = trouble }
      return board.trouble != trouble
    }
    if isNew { logger.warning("\(trouble)") }
  }
}

/// Where the others are.
struct KeeperPositions: Sendable {
  /// The dual-write's durable checkpoint; invalid while it is not known.
  var checkpoint: LSN
  /// What is durable in the log.
  var logged: LSN
  /// What the slot was told.
  var confirmed: LSN
}

/// How archiving and retention stand.
struct KeeperStatus: Sendable {
  /// Nil when nothing is archived.
  var archive: ArchiveStatus?
  /// Whether nothing is ever dropped.
  var keepsAll = true
  /// Segments dropped since the start.
  var dropped = 0
  /// What retention waits for: a segment that a rule would drop, and what keeps it.
  var held: String?
  /// What went wrong, while it does.
  var trouble: String?

  var json: [(String, JSONValue)] {
    var fields: [(String, JSONValue)] = [
      (
        "retention",
        [
          "keeps_all": .bool(keepsAll), "dropped_segments": .integer(Int64(dropped)),
          "waiting_for": (trouble ?? held).map { .string($0) } ?? .null,
        ]
      )
    ]
    guard let archive else { return fields }
    fields.append(
      (
        "archive",
        [
          "through": archive.through.map { .string("\($0)") } ?? .null,
          "archived_segments": .integer(Int64(archive.archived)),
          "waiting_segments": .integer(Int64(archive.waiting)),
          "waiting_since": archive.waitingSince.map { .integer($0) } ?? .null,
          "failures": .integer(Int64(archive.failures)),
          "failing": archive.failing.map { .string($0) } ?? .null,
          "last_failure": archive.lastFailure.map { .string($0) } ?? .null,
        ]
      ))
    return fields
  }
}

extension RetentionPlan.Hold {
  /// What kind of thing is waited for: that a reader has moved is no news.
  fileprivate var kind: String {
    switch self {
    case .reader(let name, _): "reader \(name)"
    case .unknownReader(let name, let reason): "\(name) \(reason)"
    case .unconfirmed: "slot"
    case .notArchived, .notVerified: "archive"
    }
  }
}
