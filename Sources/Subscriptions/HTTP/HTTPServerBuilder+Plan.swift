import Derivation
import HummingbirdCore
import HummingbirdTLS
import NIOCore
import NIOSSL

extension HTTPServerBuilder {
  /// What serves a plan's connections. Certificate and key are read now, and must fit each other.
  static func of(_ plan: ServePlan) throws(ServeError) -> HTTPServerBuilder {
    let limit = TimeAmount.seconds(Int64(plan.idleSeconds))
    let configuration = HTTP1Channel.Configuration(
      idleTimeout: limit,
      httpDecoderConfiguration: .init(
        maxHeaderFieldSize: plan.headBytes, maxHeaderListSize: plan.headBytes, maxHeaderFieldCount: 100))
    let plain = HTTPServerBuilder { responder in
      GuardedChannel(base: HTTP1Channel(responder: responder, configuration: configuration), limit: limit)
    }
    guard let tls = plan.tls else { return plain }
    let pair = try Self.pair(tls)
    do { return try .tls(plain, tlsConfiguration: pair) } catch {
      throw .badCertificate(file: tls.certificate, reason: "\(error)")
    }
  }

  private static func pair(_ tls: SlotDefinition.Serve.TLS) throws(ServeError) -> TLSConfiguration {
    let chain: [NIOSSLCertificateSource]
    let key: NIOSSLPrivateKeySource
    do {
      chain = try NIOSSLCertificate.fromPEMFile(tls.certificate).map { .certificate($0) }
    } catch { throw .badCertificate(file: tls.certificate, reason: "\(error)") }
    do {
      key = .privateKey(try NIOSSLPrivateKey(file: tls.key, format: .pem))
    } catch { throw .badCertificate(file: tls.key, reason: "\(error)") }
    var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
    configuration.minimumTLSVersion = .tlsv12
    // Only here is the key held against the certificate; the server would find out when it listens.
    do { _ = try NIOSSLContext(configuration: configuration) } catch {
      if case NIOSSLError.failedToLoadPrivateKey? = error as? NIOSSLError {
        throw .badCertificate(
          file: tls.key, reason: "it is not the key of the first certificate in \(tls.certificate)")
      }
      throw .badCertificate(file: tls.certificate, reason: "\(error)")
    }
    return configuration
  }
}
