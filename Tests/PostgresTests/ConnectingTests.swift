import Glibc
import LocalCluster
import Testing

@testable import Postgres

@Suite("Connecting", .timeLimit(.minutes(10))) struct ConnectingTests {
  /// A socket on loopback that takes connections into its queue and never says a word.
  private final class SilentPeer {
    let port: UInt16
    private let descriptor: Int32

    init?() {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let descriptor = descriptor
      let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, size) == 0 && listen(descriptor, 8) == 0
            && getsockname(descriptor, $0, &size) == 0
        }
      }
      port = UInt16(bigEndian: address.sin_port)
      if !isBound {
        close(descriptor)
        return nil
      }
    }

    deinit { close(descriptor) }
  }

  private func seconds(_ body: () -> Void) -> Double {
    let start = Deadline.now
    body()
    return Double(Deadline.now - start) / 1e9
  }

  @Test("a peer that never answers is given up after connect_timeout, with how long that was")
  func silent() throws {
    let peer = try #require(SilentPeer())
    var error: PostgresError?
    let took = seconds {
      error = Server.error {
        _ = try Connection(
          "host=127.0.0.1 port=\(peer.port) user=u password=hush dbname=d connect_timeout=2",
          options: .init(applicationName: "postgres test"))
      }
    }
    #expect(error?.description == "cannot connect: no answer within 2000 ms (connect_timeout sets this)")
    #expect(error?.isRetriable == true)
    #expect(took >= 2 && took < 10)
  }

  @Test("without connect_timeout our own limit holds")
  func ownLimit() throws {
    let peer = try #require(SilentPeer())
    var options = Connection.Options(applicationName: "postgres test")
    options.connectTimeoutMilliseconds = 100
    let error = Server.error {
      _ = try Connection("host=127.0.0.1 port=\(peer.port) user=u dbname=d", options: options)
    }
    #expect(error?.description == "cannot connect: no answer within 100 ms (connect_timeout sets this)")
  }

  @Test("a stop ends the attempt at once")
  func stopped() async throws {
    let peer = try #require(SilentPeer())
    let interrupt = try #require(Interrupt())
    let conninfo = "host=127.0.0.1 port=\(peer.port) user=u dbname=d connect_timeout=60"
    let worker = Worker<String> {
      do throws(PostgresError) {
        _ = try Connection(conninfo, options: .init(applicationName: "postgres test"), interrupt: interrupt)
        return "connected"
      } catch {
        return error.description
      }
    }
    interrupt.stop()
    #expect(await worker.value == "stopped while trying to connect")
  }

  @Test("over TCP with SCRAM the right password opens a session, a wrong one is refused and not shown")
  func scram() throws {
    let cluster = try Server.cluster
    let session = try cluster.connect(over: .loopback)
    #expect(try session.column("SELECT host(inet_server_addr())") == ["127.0.0.1"])
    #expect(
      try session.column("SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = current_user")
        == ["SCRAM-SHA-256$"])
    let error = Server.error {
      _ = try Connection(
        "host=127.0.0.1 port=\(cluster.port) user=postgres password=hush dbname=postgres",
        options: .init(applicationName: "postgres test"))
    }
    #expect(error?.description.contains("password authentication failed") == true)
    #expect(error?.description.contains("hush") == false)
  }

  @Test("settings of the session hold from its start, whatever characters they have")
  func settings() throws {
    let session = try Server.connect(settings: [
      ("lock_timeout", "1234"), ("application_name", "unused"), ("search_path", #"pg_catalog, "a b\c""#),
    ])
    #expect(try session.column("SHOW lock_timeout") == ["1234ms"])
    #expect(try session.column("SHOW search_path") == [#"pg_catalog, "a b\c""#])
    #expect(session.reportedSetting("client_encoding") == "UTF8")
    #expect(session.database == "postgres")
    #expect(session.isOpen)
    #expect(try session.column("SELECT pg_backend_pid()") == ["\(session.backendPID)"])
  }

  @Test("settings stand beside options given in the connection string")
  func options() throws {
    let session = try Connection(
      Server.cluster.conninfo() + " options='-c work_mem=7MB'",
      options: .init(applicationName: "postgres test", settings: [("lock_timeout", "5s")]))
    #expect(try session.column("SHOW work_mem") == ["7MB"])
    #expect(try session.column("SHOW lock_timeout") == ["5s"])
  }
}
