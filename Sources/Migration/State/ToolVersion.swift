/// The version of this program, as state and audit trail name it.
public enum ToolVersion {
  /// The version.
  public static let current = "0.1.0"
}
