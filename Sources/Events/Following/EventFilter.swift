import Derivation

/// Which events are wanted. An empty list of anything wants all of it. Gaps are always given.
public struct EventFilter: Hashable, Sendable {
  /// Their types, as they are called: `transaction.state.changed`.
  public var types: Set<String>
  /// States, by code or id, that an event leaves its row in.
  public var states: Set<String>
  /// Rows, by `EventKey.text` of the key they have or had.
  public var keys: Set<String>

  /// A filter; without lists, of everything.
  public init(types: Set<String> = [], states: Set<String> = [], keys: Set<String> = []) {
    self.types = types
    self.states = states
    self.keys = keys
  }

  /// Whether everything is wanted.
  public var isOpen: Bool { types.isEmpty && states.isEmpty && keys.isEmpty }

  /// Whether an event is wanted. A truncation concerns every row, and none of the states.
  public func allows(_ event: StateEvent, of plan: EventPlan) -> Bool {
    if isOpen || event.kind == .gap { return true }
    if !types.isEmpty, !types.contains(plan.type(event.kind)) { return false }
    if !states.isEmpty {
      guard case .state(let state) = event.state else { return false }
      guard states.contains(state.code.string) || states.contains(state.id.string) else { return false }
    }
    guard !keys.isEmpty, event.kind != .truncated else { return true }
    return keys.contains(EventKey.text(event.key))
      || event.oldKey.map { keys.contains(EventKey.text($0)) } ?? false
  }
}
