/// Why a process cannot serve.
public enum ServeError: Error, Sendable, Equatable {
  /// The address cannot be listened on.
  case cannotListen(address: String, reason: String)
  /// Certificate or key cannot be used.
  case badCertificate(file: String, reason: String)
  /// The file with the tokens cannot be used.
  case badTokens(file: String, reason: String)
}

extension ServeError: CustomStringConvertible {
  /// What is wrong, in one sentence.
  public var description: String {
    switch self {
    case .cannotListen(let address, let reason): "cannot listen on \(address): \(reason)"
    case .badCertificate(let file, let reason): "the certificate or key \(file) cannot be used: \(reason)"
    case .badTokens(let file, let reason): "the tokens in \(file) cannot be used: \(reason)"
    }
  }

  /// How to mend it.
  public var hint: String {
    switch self {
    case .cannotListen: "change serve.listen, or stop what listens there"
    case .badCertificate:
      "serve.tls names two PEM files: the chain with the server's certificate first, and its key"
    case .badTokens:
      "a line a token: NAME TOKEN SLOT[,SLOT...] with * for all slots; a token has 32 to 256 letters, digits or ._~+/=-; "
        + "chmod 640 so that only its readers can read it"
    }
  }
}
