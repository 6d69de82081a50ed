import Foundation

/// A moment as the account prints it.
public enum UTCText {
  /// `2026-11-28 20:15:03 UTC`, from seconds since 1970.
  public static func of(_ seconds: Double) -> String {
    let date = Date(timeIntervalSince1970: max(-1e11, min(seconds, 2e11)))
    let text = date.ISO8601Format()
    return text.replacingOccurrences(of: "T", with: " ").replacingOccurrences(of: "Z", with: " UTC")
  }
}
