import Derivation
import Logging
import Operations
import Postgres
import Replay
import Synchronization

/// The map of states, for those who make events: the definition's, or, where that lists none, the target's, read again now
/// and then.
final class KnownMap: Sendable {
  private let definition: SlotDefinition
  private let known: Mutex<StateMap?>
  private let interrupt: Interrupt?
  private let logger: Logger
  private let worker = Mutex<Worker<Bool>?>(nil)

  /// How long a map that was read from the target counts as current.
  private static let refreshMilliseconds = 15_000

  init(_ definition: SlotDefinition, logger: Logger) {
    self.definition = definition
    self.logger = logger
    let listed = definition.derive.map.states
    known = Mutex(listed.isEmpty ? nil : StateMap(listed))
    interrupt = listed.isEmpty ? Interrupt() : nil
  }

  /// What is known of it; nil before it could be read.
  var current: StateMap? { known.withLock { $0 } }

  /// Begins to read it, where it is not given.
  func start() {
    guard let interrupt else { return }
    let worker = Worker<Bool> { [self] in
      var hasFailed = false
      repeat {
        do throws(ReplayError) {
          let map = try TargetReader(definition, interrupt: interrupt).map()
          known.withLock { $0 = map }
          hasFailed = false
        } catch {
          if !hasFailed {
            logger.warning("the map of states cannot be read", metadata: ["error": "\(error)"])
          }
          hasFailed = true
        }
      } while !interrupt.wait(milliseconds: hasFailed ? 1_000 : Self.refreshMilliseconds)
      return true
    }
    self.worker.withLock { $0 = worker }
  }

  /// Ends that.
  func stop() { interrupt?.stop() }
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
