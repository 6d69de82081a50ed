import LocalCluster
import Postgres
import Testing

/// Every value arrives byte for byte as the server writes it.
@Suite("Type texts", .serialized) struct TypeTextTests {
  @Test("every built-in type's text form is kept byte for byte", arguments: ["UTF8", "LATIN1"])
  func texts(encoding: String) async throws {
    let server = try ScenarioServer.cluster.connect()
    let hasXML = (try? server.query("SELECT '<a/>'::xml", purpose: "try XML")) != nil
    let types =
      TypeTexts.all.filter { $0.since <= server.serverVersion.major } + (hasXML ? [TypeTexts.xml] : [])
    var scenario = Scenario(name: "type-texts-\(encoding.lowercased())")
    scenario.encoding = encoding
    scenario.setup = [step(TypeTexts.setup)]
    for (index, one) in types.enumerated() {
      scenario.setup.append(step("CREATE TABLE t\(index) (id int PRIMARY KEY, v \(one.type))"))
      for (number, value) in one.values.enumerated() where encoding == "UTF8" || TypeTexts.isLatin1(value) {
        scenario.steps.append(step("INSERT INTO t\(index) VALUES (\(number), \(value))"))
      }
    }
    scenario.setup.append(step("CREATE PUBLICATION pub FOR ALL TABLES"))
    // One statement a type: each is waited for.
    scenario.steps = [step(scenario.steps.map(\.sql).joined(separator: ";\n"))]
    let run = try ScenarioRun(scenario)
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try compare(types, run, await run.run { _ in ValueCollector() }))
    } catch {
      outcome = .failure(error)
    }
    try run.clean()
    try outcome.get()
  }

  private func compare(
    _ types: [TypeTexts], _ run: ScenarioRun, _ verdicts: [ScenarioRun.Verdict<ValueCollector>]
  ) throws {
    for (index, one) in types.enumerated() {
      let rows = try run.admin.query(
        "SELECT id, encode(convert_to(format('%s', v), 'UTF8'), 'hex') FROM t\(index)",
        purpose: "ask for the texts")
      for verdict in verdicts {
        #expect(verdict.seen.errors.isEmpty)
        let seen = verdict.seen.values["t\(index)"] ?? [:]
        #expect(seen.count == rows.rowCount, "\(one.type), \(verdict.judge) in mode \(verdict.mode)")
        for row in 0..<rows.rowCount {
          let number = Int(rows.integer(row, 0) ?? -1)
          let bytes = seen[number] ?? []
          #expect(
            hex(bytes) == rows[row, 1],
            """
            \(one.type) \(one.values[number]) is \(String(decoding: bytes, as: UTF8.self)), \
            \(verdict.judge) in mode \(verdict.mode)
            """)
        }
      }
    }
  }

  private func step(_ sql: String) -> Scenario.Step {
    Scenario.Step(session: "a", sql: sql, line: 0, error: nil)
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count < 2 ? "0" + digits : digits
    }.joined()
  }
}
