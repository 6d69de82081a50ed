import LocalCluster
import Postgres
import Testing

extension Integration {
  /// `stream.binary: true`: keys and statuses of many types come in their binary forms, and find their rows.
  @Suite("Values in binary form", .timeLimit(.minutes(5))) struct BinaryTests {
    private static let schema = """
      CREATE TYPE public.legacy AS ENUM ('AUTH', 'CAPTURED', 'CHARGE BACK', 'who knows');
      CREATE DOMAIN public.amount AS numeric(12, 2);
      CREATE TABLE public.transactions (
        a bigint, b uuid, c timestamptz, d public.amount, e bytea, f text, g date, h boolean, i public.legacy,
        status public.legacy, note interval, PRIMARY KEY (a, b, c, d, e, f, g, h, i))
      """

    private func ledger(_ name: String, key: [String]) throws -> LedgerFixture {
      try LedgerFixture(name, schema: Self.schema) { slot in
        slot.key = key
        slot.stream = ["binary: true"]
      }
    }

    @Test("inserts, moves, new keys and deletes find their rows")
    func everyKind() throws {
      let ledger = try ledger("binary_values", key: ["a", "b", "c", "d", "e", "f", "g", "h", "i"])
      let process = try ledger.expandAndStart()
      let session = try ledger.connect()
      guard session.serverVersion.major >= 14 else {
        #expect(process.stop() == .exited(0))
        try Test.cancel("binary values came with 14")
      }
      try session.script(
        """
        INSERT INTO public.transactions
        SELECT n * -4611686018427387, md5(n::text)::uuid, '2026-11-21 12:00:00.123+02'::timestamptz - n * interval '9 y',
               (n - 10) * 1000.5, decode(md5(n::text), 'hex'), repeat('\u{E9}', n), date '0001-01-05 BC' + n, n % 2 = 0,
               'AUTH', 'AUTH' FROM generate_series(1, 20) AS n
        """, purpose: "insert")
      try ledger.awaitRow("SELECT count(*) = 20 FROM public.transactions WHERE state_id = 1", process)
      try session.query(
        "UPDATE public.transactions SET status = 'who knows' WHERE h", purpose: "move to what the map lacks")
      try ledger.awaitRow(
        "SELECT count(*) = 10 FROM crossfade.quarantine WHERE slot = '\(ledger.slot)' AND status = 'who knows'",
        process)
      try session.query(
        "UPDATE public.transactions SET d = d + 1, status = 'CHARGE BACK' WHERE h", purpose: "change keys")
      try session.query("DELETE FROM public.transactions WHERE NOT h", purpose: "delete")
      try ledger.awaitRow(
        "SELECT count(*) = 10 AND bool_and(state_id = 7) FROM public.transactions", process)
      try ledger.awaitRow(
        "SELECT NOT EXISTS (SELECT FROM crossfade.quarantine WHERE slot = '\(ledger.slot)')", process)
      #expect(process.stop() == .exited(0), "\(process.outputTail)")
    }

    @Test(
      "a key, or a column of the events, whose binary form cannot be read is refused before anything is streamed, by check too",
      arguments: ["id", "held"])
    func refused(_ column: String) throws {
      let ledger = try LedgerFixture(
        "binary_refused_\(column)",
        schema: """
          CREATE TABLE public.transactions (id \(column == "id" ? "interval" : "bigint") PRIMARY KEY, status text,
            held interval)
          """
      ) { slot in
        slot.stream = ["binary: true"]
        if column == "held" { slot.more = ["events: {columns: [held]}"] }
      }
      try ledger.expand()
      guard try ledger.connect().serverVersion.major >= 14 else {
        try Test.cancel("binary values came with 14")
      }
      let summary =
        "column \(column) of public.transactions is of type interval, whose binary form Crossfade cannot read"
      let hint = "write `binary: false` under `stream:` in the slot definition"
      let run = try ledger.command("run", ["--log-level", "critical"])
      #expect(run.output == "crossfade: \(summary)\n  hint: \(hint)\n")
      #expect(run.status == .exited(3))
      let checked = try ledger.command("check")
      #expect(checked.output.contains("\(summary)\n      fix: \(hint)\n"), "\(checked.output)")
    }
  }
}
