public import Derivation

/// Which events are wanted. An empty list of anything wants all of it. Gaps are always given.
public struct EventFilter: Hashable, Sendable {
  /// Their types, as they are called: `transaction.state.changed`.
  public var types: Set<String>
  /// States, by code or id, that an event leaves its row in; to the byte.
  public var states: Set<ExactText>
  /// Rows, by `EventKey.text` of the key they have or had; to the byte.
  public var keys: Set<ExactText>

  /// A filter; without lists, of everything.
  public init(types: Set<String> = [], states: Set<ExactText> = [], keys: Set<ExactText> = []) {
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
      guard states.contains(state.code) || states.contains(state.id) else { return false }
    }
    guard !keys.isEmpty, event.kind != .truncated else { return true }
    return keys.contains(ExactText(EventKey.text(event.key)))
      || event.oldKey.map { keys.contains(ExactText(EventKey.text($0))) } ?? false
  }
}
