import CLibPQ
import Derivation

@testable import Postgres

/// A connection string, read by libpq itself: what it takes for a password does not stand in the printed form.
enum ConnectionFuzz {
  private static let secrets: Set<String> = ["password", "sslpassword", "oauth_client_secret"]

  static func check(_ text: String) throws(Finding) {
    let shown = Derivation.ConnectionString(text).description
    for secret in passwords(text) where secret.utf8.count >= 3 {
      // Only what stands there once: a password that is also the user's name is shown as that.
      guard text.split(separator: secret, omittingEmptySubsequences: false).count == 2,
        !"***".contains(secret)
      else { continue }
      try require(!shown.contains(secret), "the password \(secret) of \(text) is shown: \(shown)")
    }
    do throws(PostgresError) {
      _ = try Postgres.ConnectionString.parse(text)
    } catch {
      guard case .invalidConnectionString(let reason) = error else { throw Finding("\(error)") }
      try require(!reason.isEmpty, "refused without a reason")
    }
  }

  private static func passwords(_ text: String) -> [String] {
    guard let options = PQconninfoParse(text, nil) else { return [] }
    defer { PQconninfoFree(options) }
    var found: [String] = []
    var option = options
    while let keyword = option.pointee.keyword {
      if secrets.contains(String(cString: keyword)), let value = option.pointee.val {
        found.append(String(cString: value))
      }
      option += 1
    }
    return found
  }
}
