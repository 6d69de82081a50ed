extension SlotDefinition {
  /// What the slot's process serves over HTTP.
  public struct Serve: Hashable, Sendable {
    /// Where it listens.
    public var listen: ListenAddress
    /// Certificate and key; nil serves in the clear, to this machine alone.
    public var tls: TLS?
    /// The file with the tokens; nil asks nobody for one, on this machine alone.
    public var tokens: String?
    /// The most connections at once.
    public var connections: Int
    /// A subscriber with more of the log before it is cut off; nil: none ever is.
    public var subscriberLag: ByteCount?

    /// The settings; what has a default has it.
    public init(
      listen: ListenAddress, tls: TLS? = nil, tokens: String? = nil, connections: Int = 256,
      subscriberLag: ByteCount? = nil
    ) {
      self.listen = listen
      self.tls = tls
      self.tokens = tokens
      self.connections = connections
      self.subscriberLag = subscriberLag
    }
  }

  /// Where to find a server's certificate.
  public struct TLS: Hashable, Sendable {
    /// A PEM file: the server's certificate first, then those that signed it.
    public var certificate: String
    /// A PEM file: its private key.
    public var key: String

    /// The two files.
    public init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }
}

extension SlotDefinition.Serve {
  /// See `SlotDefinition.TLS`.
  public typealias TLS = SlotDefinition.TLS
}

/// A host and a port to listen on.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// A name or an address, an IPv6 one without its brackets.
  public let host: String
  /// The port; 0 takes any that is free.
  public let port: Int

  /// Reads `HOST:PORT` or `[IPv6]:PORT`; nil for anything else.
  public init?(_ text: String) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = Int(digits),
      (0...65535).contains(port)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "/" || $0 == "@" }) else {
      return nil
    }
    self.host = String(host)
    self.port = port
  }

  /// Whether only this machine reaches it. A name counts only if it is `localhost`: what others resolve to may change.
  public var isLoopback: Bool {
    if host == "localhost" || host == "::1" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
  }

  /// As it is written.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
