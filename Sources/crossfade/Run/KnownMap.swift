import Derivation
import DualWrite
import Logging
import Operations
import PGOutput
import Postgres
import Replay
import Synchronization

/// The map of states, for those who make events: the target's, by which the dual-write derives, and what the definition lists
/// besides. Read again now and then, and before a value is told to be in neither.
final class KnownMap: Sendable {
  private struct Known {
    var map: StateMap?
    /// The server's clock, before the target's map was read.
    var asOf: Timestamp?
    var connection: Connection?
    var hasFailed = false
    /// Not asked again before: whoever follows the log is not to wait for each change.
    var retryAt: UInt64 = 0
  }

  private let definition: SlotDefinition
  /// For who only wants to know; `asked` is held while the server is.
  private let known: Mutex<StateMap?>
  private let asked: Mutex<Known>
  private let interrupt = Interrupt()
  private let logger: Logger
  private let worker = Mutex<Worker<Bool>?>(nil)

  /// How long a map that was read from the target counts as current, unless it lacks something.
  private static let refreshMilliseconds = 15_000

  init(_ definition: SlotDefinition, logger: Logger) {
    self.definition = definition
    self.logger = logger
    let listed = definition.derive.map.states
    let map = listed.isEmpty ? nil : StateMap(listed)
    known = Mutex(map)
    asked = Mutex(Known(map: map))
  }

  /// What is known of it; nil before it could be read.
  var current: StateMap? { known.withLock { $0 } }

  /// The map as it stood at a moment or later; what is known of it while the target cannot be asked.
  func fresh(at moment: Timestamp) -> StateMap? {
    asked.withLock { state in
      if let asOf = state.asOf, asOf > moment { return state.map }
      if Deadline.now >= state.retryAt { _ = read(&state) }
      return state.map
    }
  }

  /// Begins to read it.
  func start() {
    guard let interrupt else { return }
    let worker = Worker<Bool> { [self] in
      var isRead: Bool
      repeat {
        isRead = asked.withLock { read(&$0) }
      } while !interrupt.wait(milliseconds: isRead ? Self.refreshMilliseconds : 1_000)
      return true
    }
    self.worker.withLock { $0 = worker }
  }

  /// Ends that.
  func stop() { interrupt?.stop() }

  private func read(_ state: inout Known) -> Bool {
    guard let interrupt, !interrupt.isStopped else { return false }
    do throws(PostgresError) {
      let connection: Connection
      if let open = state.connection { connection = open } else { connection = try connect(interrupt) }
      state.connection = connection
      let clock = try connection.query(
        "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint", purpose: "ask for the time"
      ).integer(0, 0)
      let held = try MapTable.load(definition.derive.map, on: connection)
      state.asOf = clock.map { Timestamp(unixMicroseconds: $0) }
      // What is listed and not there yet will be there, before anything is derived by it.
      let listed = definition.derive.map.states.filter { listed in
        !held.rows.contains { $0.id == listed.id || $0.status == listed.status }
      }
      state.map = StateMap(rows: held.rows + listed.map(StateRow.init))
      known.withLock { $0 = state.map }
      state.hasFailed = false
      return true
    } catch {
      state.connection = nil
      // Where the definition lists them, events can be made without; before `expand` there is no table.
      if !state.hasFailed {
        logger.log(
          level: state.map == nil ? .warning : .debug, "the map of states cannot be read",
          metadata: ["error": "\(error)"])
      }
      state.hasFailed = true
      state.retryAt = Deadline.now &+ 1_000_000_000
      return false
    }
  }

  private func connect(_ interrupt: Interrupt) throws(PostgresError) -> Connection {
    let connection = try Connection(
      definition.source.revealed,
      options: .init(
        applicationName: "crossfade events \(definition.slot)",
        settings: [("search_path", "pg_catalog"), ("statement_timeout", "5000"), ("lock_timeout", "1000")]),
      interrupt: interrupt)
    try connection.makeReadOnly()
    return connection
  }
}

extension StateMap {
  /// The definition's map, or, where that lists no states, the target's.
  ///
  /// - Parameter hint: what spares asking the target, for one that cannot be asked.
  static func known(to definition: SlotDefinition, hint: String) async throws(Failure) -> StateMap {
    let listed = definition.derive.map.states
    if !listed.isEmpty { return StateMap(listed) }
    let interrupt = try ReplayTask.waking()
    do {
      return try await ReplayTask.run { () throws(ReplayError) -> StateMap in
        try TargetReader(definition, interrupt: interrupt).map()
      }
    } catch {
      var failure = error
      failure.hint = hint
      throw failure
    }
  }
}
