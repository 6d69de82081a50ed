import Crypto

/// Who may ask for which slots. The token itself is not kept, only its digest.
struct Token: Sendable, Hashable {
  /// Who it was given to: for the log, never for a decision.
  let name: String
  /// SHA-256 of the token.
  let digest: [UInt8]
  /// The slots it is for; nil for all of them.
  let slots: Set<String>?

  func allows(_ slot: String) -> Bool { slots?.contains(slot) ?? true }

  static func digest(of token: some Sequence<UInt8>) -> [UInt8] {
    Array(SHA256.hash(data: Array(token)))
  }

  /// Whether two digests are the same, in a time that does not depend on where they differ.
  static func same(_ one: [UInt8], _ other: [UInt8]) -> Bool {
    guard one.count == other.count else { return false }
    return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
  }
}

/// The tokens of one file, as text.
struct TokenList: Sendable {
  let tokens: [Token]
  private let byDigest: [[UInt8]: Token]

  /// A fault in the text: its line, and what is wrong there. Never what stands there.
  struct Fault: Error, Equatable {
    let line: Int
    let reason: String
  }

  /// Reads `NAME TOKEN SLOT[,SLOT...]` line by line; what begins with `#` and empty lines are passed over.
  init(_ text: String) throws(Fault) {
    var tokens: [Token] = []
    var byDigest: [[UInt8]: Token] = [:]
    // "\r\n" is one character, and a new line as "\n" is.
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      guard words.count == 3 else {
        throw Fault(line: index + 1, reason: "it has \(words.count) words, not 3")
      }
      let secret = words[1].utf8
      guard (32...256).contains(secret.count), secret.allSatisfy(Self.isTokenByte) else {
        throw Fault(line: index + 1, reason: "the token is not 32 to 256 letters, digits or ._~+/=-")
      }
      let slots = words[2].split(separator: ",").map(String.init)
      let digest = Token.digest(of: secret)
      guard byDigest[digest] == nil else {
        throw Fault(line: index + 1, reason: "the same token stands on an earlier line")
      }
      let token = Token(name: String(first), digest: digest, slots: slots == ["*"] ? nil : Set(slots))
      byDigest[digest] = token
      tokens.append(token)
    }
    self.tokens = tokens
    self.byDigest = byDigest
  }

  /// Whose token it is; every one is compared, whichever fits.
  func holder(of token: some Sequence<UInt8>) -> Token? {
    let digest = Token.digest(of: token)
    var found: Token?
    for candidate in tokens where Token.same(candidate.digest, digest) { found = candidate }
    return found
  }

  /// Whether one who was let in still would be, and for that slot.
  func stillAllows(_ holder: Token, _ slot: String) -> Bool {
    byDigest[holder.digest]?.allows(slot) ?? false
  }

  /// What a bearer token may hold (RFC 6750, section 2.1).
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "._~+/=-".utf8.contains(byte)
    }
  }
}
