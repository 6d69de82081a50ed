/// How a session of ours tells the triggers of a bridge that it writes: they are for the application.
public enum OwnWrites {
  /// For the session's start.
  public static let setting = (name: "crossfade.writer", value: "own")

  /// An SQL condition: the session is somebody else's.
  public static let isForeign =
    "pg_catalog.current_setting('crossfade.writer', true) IS DISTINCT FROM 'own'"

  /// The prefix of the logical message in which the bridge tells of a write of the old column alone, once in its
  /// transaction: the slot, a newline, the `application_name`.
  public static let legacyPrefix = "crossfade.writer"
}
