/// Reads `serve:`.
extension DefinitionReader {
  mutating func serve(_ root: Section) -> SlotDefinition.Serve? {
    guard let field = field(root, "serve"), let section = section(field, .serve) else { return nil }
    let hint = "write `listen: 127.0.0.1:8642`"
    let listen = self.field(section, "listen", required: hint).flatMap { listenAddress($0, hint: hint) }
    let tls = self.field(section, "tls").flatMap { certificate($0) }
    let tokens = self.field(section, "tokens").flatMap { path($0, "the file with the tokens") }
    let connections = self.field(section, "connections").flatMap { integer($0, in: 1...10_000) }
    let lag = self.field(section, "subscriber_lag")
      .flatMap { size($0, in: ByteCount(bytes: 64 << 10)...ByteCount(bytes: 1 << 50)) }
    guard let listen else { return nil }
    if !listen.isLoopback, let field = section.fields["listen"] {
      let missing = [("tls", tls == nil), ("tokens", tokens == nil)].filter(\.1).map { "`serve.\($0.0)`" }
      if !missing.isEmpty {
        report(
          field, "is \(listen), which other machines reach, without \(missing.joined(separator: " and "))",
          hint: "give both, or listen on 127.0.0.1 or [::1]")
      }
    }
    return SlotDefinition.Serve(
      listen: listen, tls: tls, tokens: tokens, connections: connections ?? 256, subscriberLag: lag)
  }

  private mutating func listenAddress(_ field: Field, hint: String) -> ListenAddress? {
    guard let text = expanded(field, "an address to listen on", hint: hint) else { return nil }
    if let address = ListenAddress(text) { return address }
    report(field, "is \(Echo.quoted(text)), must be HOST:PORT or [IPv6]:PORT", hint: hint)
    return nil
  }

  private mutating func certificate(_ field: Field) -> SlotDefinition.TLS? {
    guard let section = section(field, .tls) else { return nil }
    let chain = self.field(
      section, "certificate", required: "write `certificate: /etc/crossfade/server.pem`"
    )
    .flatMap { path($0, "a PEM file") }
    let key = self.field(section, "key", required: "write `key: /etc/crossfade/server.key`")
      .flatMap { path($0, "a PEM file") }
    guard let chain, let key else { return nil }
    return SlotDefinition.TLS(certificate: chain, key: key)
  }

  private mutating func path(_ field: Field, _ must: String) -> String? {
    guard let path = expanded(field, must, hint: "write a path") else { return nil }
    if !path.utf8.contains(0) { return path }
    report(field, "holds a NUL, which no path can", hint: "remove it")
    return nil
  }
}
