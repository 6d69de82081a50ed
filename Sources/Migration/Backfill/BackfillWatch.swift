import Derivation
import PGOutput
import Postgres
import Synchronization

/// What the threads of a backfill share: signals and wishes on their way to it, its own standing on the way out.
final class BackfillWatch: Sendable {
  /// What the backfill looks at before each batch.
  struct View: Sendable {
    var verdict: SignalBoard.Verdict
    var control: ControlState
    /// Counts the looks at the signals.
    var looks: Int
    /// Day and minute in each zone of the windows; empty before the first look.
    var moments: [String: Moment]
    /// Why nothing is heard of the servers, if so.
    var trouble: String?
  }

  /// A moment of a time zone, as the server's clock has it.
  struct Moment: Sendable, Equatable {
    var day: Int
    var minute: Int
  }

  private struct State {
    var board: SignalBoard
    var replicas = ReplicaWatch()
    var control = ControlState()
    var pending: [(command: ControlCommand, by: String)] = []
    var looks = 0
    var moments: [String: Moment] = [:]
    var trouble: String?
    var status: BackfillStatus?
    var batch: (pid: Int32, since: UInt64)?
  }

  private let state: Mutex<State>

  init(_ definition: SlotDefinition) {
    state = Mutex(State(board: SignalBoard(definition.backfill.signals)))
  }

  static var now: Double { Double(Deadline.now) / 1e6 }

  /// - Parameter next: bytes of WAL that the next batch will write.
  func view(position: LSN, next: Double = 0) -> View {
    state.withLock { state in
      View(
        verdict: state.board.verdict(now: Self.now, position: position, next: next), control: state.control,
        looks: state.looks, moments: state.moments, trouble: state.trouble)
    }
  }

  /// A look at the servers is done.
  func look(_ body: (inout SignalBoard, inout ReplicaWatch) -> Void, moments: [String: Moment]) {
    state.withLock { state in
      body(&state.board, &state.replicas)
      state.moments = moments
      state.looks += 1
      state.trouble = nil
    }
  }

  func trouble(_ what: String) { state.withLock { $0.trouble = what } }

  /// Something is wanted; it counts at once, and is written down by who has a session.
  func want(_ command: ControlCommand, by: String) {
    state.withLock { state in
      state.control.apply(command)
      state.control.by = by
      state.control.at = nil
      state.pending.append((command, by))
    }
  }

  /// The first that is not written down yet.
  var wanted: (command: ControlCommand, by: String)? { state.withLock { $0.pending.first } }

  /// It is written down.
  func written() { state.withLock { if !$0.pending.isEmpty { $0.pending.removeFirst() } } }

  /// What stands written; what is wanted since comes after it.
  func adopt(_ control: ControlState) {
    state.withLock { if $0.pending.isEmpty { $0.control = control } }
  }

  /// What the backfill says of itself.
  var status: BackfillStatus? {
    get { state.withLock { $0.status } }
    set { state.withLock { $0.status = newValue } }
  }

  /// A batch is under way in a server process.
  func begin(pid: Int32) { state.withLock { $0.batch = (pid, Deadline.now) } }

  /// It is over.
  func end() { state.withLock { $0.batch = nil } }

  /// How long the batch under way takes already, in milliseconds, and where.
  var batch: (pid: Int32, milliseconds: Double)? {
    state.withLock { state in state.batch.map { ($0.pid, Double(Deadline.now - $0.since) / 1e6) } }
  }
}
