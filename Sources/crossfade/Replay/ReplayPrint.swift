import ArgumentParser
import ChangeLog
import Derivation
import Operations
import Postgres
import Replay

/// Prints what the range derives, a change a line.
struct ReplayPrint {
  let task: ReplayTask

  func run() async throws {
    _ = try asking { () throws(ReplayError) in try task.bounds() }
    let map = try await map()
    let range = try asking { () throws(ReplayError) in try task.range() }
    let walk = EventWalk(
      task.log, derive: task.definition.derive, range: range, keys: task.keys,
      crossesDamage: task.crossesDamage)
    let display = ReplayDisplay("replay", range)
    var output = LineOutput()
    var gaps = 0
    do {
      while let step = try walk.next() {
        switch step {
        case .event(let event): try output.write(ReplayJSON.line(DerivedChange(event, by: map)).compact)
        case .gap(let gap):
          gaps += 1
          try output.write(ReplayJSON.gap(gap).compact)
        }
        if walk.changes.isMultiple(of: 4096) { display.show(walk.position, changes: walk.changes) }
      }
    } catch let error as ReplayError {
      // What is whole before it is printed.
      try output.flush()
      throw Failure(error)
    }
    try output.flush()
    display.finish()
    if gaps > 0 { throw ExitCode.differences }
  }

  /// The map given by hand, the definition's, or, where that lists no states, the target's.
  private func map() async throws -> StateMap {
    if let states = task.states { return StateMap(states) }
    return try await StateMap.known(
      to: task.definition,
      hint: "a server is asked only because the definition lists no derive.map.states: --map FILE spares it")
  }

  private func asking<Value>(_ body: () throws(ReplayError) -> Value) throws(Failure) -> Value {
    do throws(ReplayError) { return try body() } catch { throw Failure(error) }
  }
}
