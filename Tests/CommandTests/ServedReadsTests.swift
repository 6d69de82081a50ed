import LocalCluster
import Testing

extension CommandTests {
  /// What readers are told over HTTP is what the flag says.
  @Suite("GET /v1/slots/SLOT/reads of crossfade run", .serialized) struct ServedReads {
    /// The answer, as curl prints it, with the status behind it.
    private func ask(_ port: UInt16, _ slot: LedgerSlot, _ query: String = "") throws -> String {
      try ChildProcess.run(
        [
          "curl", "--silent", "--max-time", "10", "-w", "%{http_code}",
          "http://127.0.0.1:\(port)/v1/slots/\(slot.name)/reads\(query)",
        ], environment: [:], within: .seconds(20)
      ).output
    }

    private func turn(_ slot: LedgerSlot, _ percent: Int) throws {
      try slot.sql(
        """
        INSERT INTO crossfade.reads (slot, percent) VALUES ('\(slot.name)', \(percent))
        ON CONFLICT (slot) DO UPDATE SET percent = EXCLUDED.percent
        """)
    }

    @Test("the answer follows the flag within seconds, and agrees with SQL; without the target there is none")
    func follows() throws {
      var configuration = ClusterConfiguration()
      configuration.isDurable = false
      let cluster = try Cluster.running(configuration)
      let port = try LoopbackPort.free()
      let slot = try LedgerSlot("served_reads", on: cluster, more: "serve:\n  listen: 127.0.0.1:\(port)\n")
      #expect(try slot.crossfade("expand").status == .exited(0))
      try slot.start()
      func answers(_ text: String, _ query: String = "", within: Duration = .seconds(10)) throws -> Bool {
        try eventually(within: within) { try ask(port, slot, query) == text }
      }
      let old = "{\"slot\":\"served_reads\",\"new\":false,\"percent\":0}\n200"
      #expect(try answers(old))
      try turn(slot, 100)
      #expect(try answers("{\"slot\":\"served_reads\",\"new\":true,\"percent\":100}\n200"))
      try turn(slot, 40)
      #expect(try answers("{\"slot\":\"served_reads\",\"new\":false,\"percent\":40}\n200"))
      for key in 1...20 {
        let isNew = try slot.sql("SELECT crossfade.reads_new('served_reads', '\(key)')") == "t"
        #expect(
          try ask(port, slot, "?key=\(key)")
            == "{\"slot\":\"served_reads\",\"new\":\(isNew),\"percent\":40}\n200")
      }
      // The session is lost and made again: the answer goes on.
      try slot.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'crossfade reads served_reads'"
      )
      try turn(slot, 0)
      #expect(try answers(old))
      try cluster.stop(.immediate)
      let isUnknown = try eventually(within: .seconds(30)) {
        let answer = try ask(port, slot)
        return answer.hasSuffix("503")
          && answer.contains("which column is to be read is not known now: it was read 1")
      }
      #expect(isUnknown)
    }
  }
}
