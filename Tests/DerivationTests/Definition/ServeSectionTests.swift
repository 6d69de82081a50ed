import Derivation
import Testing

@Suite("The serve section of a slot definition")
struct ServeSectionTests {
  private func read(_ lines: String) throws -> SlotDefinition.Serve? {
    try SlotDefinition.parse(
      yaml: definition(adding: "serve:\n" + lines), file: "slot.yaml", environment: ["PORT": "9000"]
    ).serve
  }

  @Test("every key is read")
  func all() throws {
    let read = try read(
      "  listen: 0.0.0.0:${PORT}\n  tls: {certificate: /etc/c.pem, key: /etc/k.pem}\n  tokens: /etc/t\n  connections: 9"
    )
    #expect(read?.listen == ListenAddress("0.0.0.0:9000"))
    #expect(read?.tls == .init(certificate: "/etc/c.pem", key: "/etc/k.pem"))
    #expect(read?.tokens == "/etc/t")
    #expect(read?.connections == 9)
  }

  @Test("without it nothing is served; on this machine neither certificate nor tokens are needed")
  func defaults() throws {
    #expect(
      try SlotDefinition.parse(yaml: definition(adding: ""), file: "slot.yaml", environment: [:]).serve == nil
    )
    let read = try read("  listen: \"[::1]:8642\"")
    #expect(read?.listen.host == "::1")
    #expect(read?.tls == nil && read?.tokens == nil && read?.connections == 256)
  }

  @Test("an address that other machines reach needs both")
  func exposed() {
    #expect(
      faults(definition(adding: "serve:\n  listen: 0.0.0.0:8642\n  tokens: /etc/t")) == """
        slot.yaml:18:11: serve.listen: is 0.0.0.0:8642, which other machines reach, without `serve.tls`
          hint: give both, or listen on 127.0.0.1 or [::1]
        """)
    #expect(
      faults(definition(adding: "serve:\n  listen: ledger.internal:8642\n  connections: 0")) == """
        slot.yaml:18:11: serve.listen: is ledger.internal:8642, which other machines reach, without `serve.tls` and `serve.tokens`
          hint: give both, or listen on 127.0.0.1 or [::1]
        slot.yaml:19:16: serve.connections: is `0`, must be a whole number from 1 to 10000
          hint: choose a number in that range
        """)
  }

  @Test(
    "an address is a host and a port",
    arguments: [
      ("127.0.0.1:1", "127.0.0.1", 1, true), ("localhost:0", "localhost", 0, true),
      ("[::1]:65535", "::1", 65535, true), ("127.1.2.3:5", "127.1.2.3", 5, true),
      ("127.example.org:5", "127.example.org", 5, false), ("[fe80::1]:5", "fe80::1", 5, false),
      ("127.0.0.1.evil:5", "127.0.0.1.evil", 5, false),
    ])
  func addresses(_ text: String, _ host: String, _ port: Int, _ isLoopback: Bool) throws {
    let address = try #require(ListenAddress(text))
    #expect(address.host == host && address.port == port && address.isLoopback == isLoopback)
    #expect(address.description == text)
  }

  @Test(
    "anything else is none",
    arguments: [
      "", "8642", ":8642", "host:", "host:x", "host:65536", "::1:80", "[host]:80", "a b:1", "http://h:80",
    ])
  func noAddresses(_ text: String) {
    #expect(ListenAddress(text) == nil)
  }
}
