import Crypto
import Foundation

/// SHA-256 of a text's UTF-8, as `sha256sum` prints it.
enum SHA256Text {
  static func hex(_ text: String) -> String {
    SHA256.hash(data: Data(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
