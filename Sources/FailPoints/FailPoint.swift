import Glibc
import Synchronization

/// Named places where the process can be made to die as if the plug were pulled: SIGKILL to itself.
///
/// Armed by `CROSSFADE_FAIL_POINT=name` or `name:N` (die at the N-th pass); without the variable a pass costs one
/// comparison of a global. With `name:N:hang` the thread that makes the N-th pass stays there for good, as if its disk
/// or its server did not answer, while the others go on. They stand in the product because what must be proven is the
/// product's own order of writes, syncs, commits and confirmations.
public enum FailPoint: String, CaseIterable, Sendable {
  /// A message has been received, nothing of it is in the log.
  case received
  /// Records of a streamed transaction are in its spool.
  case spooled
  /// A part of a spooled transaction is written to the log, the rest, or its sync, is to come.
  case splicing
  /// A prepared transaction's spool is durable, the slot not yet told.
  case prepared
  /// A group is written to the log, not yet synced.
  case loggedBeforeSync = "logged-before-sync"
  /// The log is synced, the slot not yet told.
  case syncedBeforeConfirm = "synced-before-confirm"
  /// The target has run the batch's statements, the commit is not yet sent.
  case appliedBeforeCommit = "applied-before-commit"
  /// The target has committed, the slot not yet told.
  case committedBeforeConfirm = "committed-before-confirm"
  /// A step of the migration is about to commit; one that cannot be in a transaction, to begin.
  case stepBeforeCommit = "step-before-commit"
  /// A step of the migration has committed, nothing more is written down.
  case stepAfterCommit = "step-after-commit"

  private struct Armed: Sendable {
    var point: FailPoint
    var pass: Int
    var hangs: Bool
  }

  private static let armed: Armed? = {
    guard let value = getenv("CROSSFADE_FAIL_POINT") else { return nil }
    let parts = String(cString: value).split(separator: ":", maxSplits: 2)
    guard let name = parts.first, let point = FailPoint(rawValue: String(name)) else { return nil }
    return Armed(
      point: point, pass: parts.count > 1 ? Int(parts[1]) ?? 1 : 1,
      hangs: parts.count > 2 && parts[2] == "hang")
  }()

  private static let passes = Atomic<Int>(0)

  /// Whether this point will kill the process sooner or later.
  public static func isArmed(_ point: FailPoint) -> Bool { armed?.point == point }

  /// Dies or hangs here when armed for this point and this pass.
  public static func pass(_ point: FailPoint) {
    guard let armed, armed.point == point, passes.add(1, ordering: .relaxed).newValue >= armed.pass else {
      return
    }
    while armed.hangs { sleep(3600) }
    kill(getpid(), SIGKILL)
  }
}
