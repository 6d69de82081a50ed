import Hummingbird

/// Where nobody is asked for a token, whoever is on this machine may ask, but not a page in its browser: one that has its
/// own name resolve to this machine (DNS rebinding) sends that name.
struct LocalHost: RouterMiddleware {
  /// The host that is listened on; nil: tokens are asked for, and any name will do.
  let host: String?

  init(_ plan: ServePlan) { host = plan.tokens == nil ? plan.host : nil }

  func handle(
    _ request: Request, context: SlotContext, next: (Request, SlotContext) async throws -> Response
  ) async throws -> Response {
    // What is no browser may leave it out.
    if let host, let authority = request.head.authority, !Self.isLocal(authority, listening: host) {
      throw Problem(
        status: .misdirectedRequest, title: "no such host",
        detail: "without tokens only localhost, 127.0.0.1 and [::1] are answered, not \(authority.prefix(80))"
      )
    }
    return try await next(request, context)
  }

  static func isLocal(_ authority: String, listening host: String) -> Bool {
    let name = name(authority)
    return ["localhost", "127.0.0.1", "::1", host.lowercased()].contains(name)
  }

  /// The host without its port and brackets; nil where it is none.
  private static func name(_ authority: String) -> String? {
    let text = authority.lowercased()
    let rest: Substring
    let name: Substring
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]") else { return nil }
      name = text[..<end].dropFirst()
      rest = text[text.index(after: end)...]
    } else {
      name = text.prefix { $0 != ":" }
      rest = text[name.endIndex...]
    }
    guard rest.isEmpty || (rest.hasPrefix(":") && rest.dropFirst().utf8.allSatisfy { (48...57).contains($0) })
    else { return nil }
    return String(name)
  }
}
