import Glibc
import Postgres
import Synchronization
import Testing

@testable import LocalCluster

@Suite("Clusters in trouble", .timeLimit(.minutes(5))) struct ClusterFailureTests {
  private var quick: ClusterConfiguration {
    var configuration = ClusterConfiguration()
    configuration.isDurable = false
    return configuration
  }

  private static func scratchDirectory() throws -> String {
    var template = Array("/tmp/crossfade-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    try #require(chmod(path, 0o755) == 0)
    return path
  }

  @Test("a setting the server can't read makes start fail with the end of its log; mended, it starts")
  func badSetting() throws {
    var configuration = quick
    configuration.settings = ["shared_buffers": "never"]
    let cluster = try Cluster(configuration)
    #expect {
      try cluster.start()
    } throws: { error in
      let text = "\(error)"
      return text.hasPrefix("the server ended with exit code 1 while starting; its log ends:\n")
        && text.contains("invalid value for parameter \"shared_buffers\"")
    }
    #expect(!cluster.isRunning)
    try cluster.configure(["shared_buffers": "16MB"])
    try cluster.start()
    #expect(cluster.isRunning)
  }

  @Test("a setting's name can't smuggle another line into the file")
  func settingName() throws {
    let cluster = try Cluster(quick)
    #expect {
      try cluster.configure(["a = b\nfsync": "off"])
    } throws: { error in
      "\(error)" == #""a = b\nfsync" is not the name of a server setting"#
    }
  }

  @Test("a smart stop that a session holds up says so and leaves the server be")
  func stopTimedOut() throws {
    let cluster = try Cluster.running(quick)
    let open = try cluster.connect()
    #expect {
      try cluster.stop(.smart, within: .milliseconds(300))
    } throws: { error in
      "\(error)".hasPrefix("the server still runs 0.3 seconds after a smart stop")
    }
    #expect(cluster.isRunning)
    #expect(try open.query("select 1", purpose: "read")[0] == "1")
    try cluster.stop(.immediate)
  }

  @Test("a server that is not ready in time is stopped, and can be started with more time")
  func startTimedOut() throws {
    var configuration = quick
    configuration.startLimit = .milliseconds(1)
    let cluster = try Cluster(configuration)
    #expect {
      try cluster.start()
    } throws: { error in
      "\(error)".hasPrefix("the server was not ready after 0.001 seconds; its log ends:\n")
    }
    #expect(!cluster.isRunning)
    #expect(throws: ClusterError.self) { try cluster.stop() }
  }

  @Test("a port that was taken meanwhile is given up for another")
  func portTaken() throws {
    var configuration = quick
    configuration.listensOnLoopback = true
    let cluster = try Cluster(configuration)
    let taken = cluster.port
    var occupying = quick
    occupying.listensOnLoopback = true
    let occupant = try Cluster(occupying)
    occupant.state.withLock { $0.port = taken }
    try occupant.start()
    #expect(occupant.port == taken)
    try cluster.start()
    #expect(cluster.port != taken)
    #expect(try cluster.connect(over: .loopback).query("select 1", purpose: "read")[0] == "1")
  }

  @Test("a server that dies by itself is seen to be gone, and starts again")
  func diesByItself() throws {
    let cluster = try Cluster.running(quick)
    kill(try #require(cluster.pid), SIGQUIT)
    #expect(eventually(within: .seconds(30)) { !cluster.isRunning })
    #expect(throws: ClusterError.self) { try cluster.stop() }
    try cluster.start()
    #expect(try cluster.connect().query("select 1", purpose: "read")[0] == "1")
  }

  @Test("a failing initdb is quoted, and leaves nothing behind")
  func initdbFails() throws {
    let fake = try Self.scratchDirectory()
    let base = try Self.scratchDirectory()
    defer { _ = try? ChildProcess.run(["rm", "-rf", fake, base]) }
    for (name, script) in [
      ("postgres", "echo 'postgres (PostgreSQL) 15.99'"), ("initdb", "echo no room here >&2; exit 9"),
    ] {
      let write = try ChildProcess.run([
        "sh", "-c", "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$2\" && chmod 755 \"$2\"", "-", script,
        "\(fake)/\(name)",
      ])
      try #require(write.status.isSuccess)
    }
    var configuration = quick
    configuration.installation = try PostgresInstallation(binDirectory: fake)
    configuration.baseDirectory = base
    #expect(configuration.installation?.description == "PostgreSQL 15.99 in \(fake)")
    #expect {
      try Cluster(configuration)
    } throws: { error in
      "\(error)" == "initdb failed with exit code 9:\nno room here"
    }
    #expect(ExecutableSearch.entries(of: base) == [])
  }

  @Test("a directory with a client only is no server")
  func incomplete() throws {
    let empty = try Self.scratchDirectory()
    defer { rmdir(empty) }
    #expect(throws: InstallationError.incomplete(directory: empty, missing: "postgres")) {
      try PostgresInstallation(binDirectory: empty)
    }
  }
}
