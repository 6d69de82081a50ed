public import ChangeLog
public import Derivation

/// What events are made of: the table, its columns, and what they are called.
public struct EventPlan: Hashable, Sendable {
  /// What is derived from what.
  public var derive: SlotDefinition.Derive
  /// The first word of each event's type: `transaction`.
  public var entity: String
  /// Columns of the table that events carry beside key and state.
  public var columns: [Identifier]
  /// The slot, whose corrections are believed.
  public var slot: String
  /// CloudEvents' `source`: what the ids are unique in.
  public var source: String

  /// The plan of a slot definition, for a log of the given origin.
  public init(_ definition: SlotDefinition, origin: OriginIdentity) {
    derive = definition.derive
    entity = definition.events.entity ?? Self.entity(of: definition.derive.table.name.name)
    columns = definition.events.columns
    slot = origin.slot
    source = "/crossfade/\(origin.systemIdentifier)/\(origin.slot)"
  }

  /// The table as the log names it.
  public var table: String { "\(derive.table.schema.name).\(derive.table.name.name)" }

  /// What CloudEvents calls events of a kind.
  public func type(_ kind: StateEvent.Kind) -> String {
    kind == .gap ? "crossfade.gap" : "\(entity).\(kind.rawValue)"
  }

  /// The table's name without a plural s.
  private static func entity(of table: String) -> String {
    table.hasSuffix("s") && !table.hasSuffix("ss") && table.count > 1 ? String(table.dropLast()) : table
  }
}
