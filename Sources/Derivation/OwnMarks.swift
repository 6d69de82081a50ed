/// What Crossfade's own transactions are known by, in a stream and in the change log. Pure names: who writes them, who drops
/// them and who reads them must agree.
public enum OwnMarks {
  /// The prefix of the logical message that our transactions begin with where they carry no origin; its content is the slot.
  public static let message = "crossfade"

  /// The prefix of the logical messages in which our transactions tell of the rows they correct. Of ours alone are they
  /// kept in the log, and believed.
  public static let correction = "crossfade.correction"

  /// The replication origin that our writes carry where the role may set one up; the log names whose corrections it holds by it.
  public static func origin(slot: String) -> String { "crossfade_\(slot)" }

  /// Whether an origin is ours: that of the slot, or that, a dot and more. No slot's name has a dot.
  public static func isOrigin(_ name: String, slot: String) -> Bool {
    let own = origin(slot: slot)
    return name == own || name.hasPrefix(own + ".")
  }
}
