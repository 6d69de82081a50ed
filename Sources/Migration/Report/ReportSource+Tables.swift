import Derivation
import DualWrite
import Postgres

/// What the tables of schema crossfade tell.
extension ReportSource {
  private func section(
    _ id: String, _ title: String, of table: String, missing: String,
    _ fill: (inout Evidence.Section) throws(PostgresError) -> Void
  ) throws(PostgresError) -> Evidence.Section {
    var section = Evidence.Section(id: id, title: title)
    if let absence = tables.absence(table, missing) {
      section.sentences = [absence]
    } else {
      try fill(&section)
      if section.sentences.isEmpty, section.facts.isEmpty, section.tables.isEmpty {
        section.sentences = ["Not yet: \(missing)."]
      }
    }
    return section
  }

  /// What it is, and how far it has come.
  func migration(_ definition: SlotDefinition) throws(PostgresError) -> Evidence.Section {
    let derive = definition.derive
    var section = try section("migration", "The migration", of: "migration", missing: "nothing was ever done")
    {
      (section) throws(PostgresError) in
      section.facts = try facts(
        """
        SELECT m.phase AS "phase", \(Self.time("m.since")) AS "since (UTC)", m.plan_hash AS "plan accepted",
               m.tool_version AS "written by crossfade" FROM crossfade.migration AS m WHERE m.slot = $1
        """)
    }
    let server = try connection.query(
      "SELECT current_database(), pg_is_in_recovery()", purpose: EvidenceReader.purpose)
    section.facts =
      [
        .init("slot", .text(definition.slot)), .init("table", .text("\(derive.table)")),
        .init("old column", .text("\(derive.from)")), .init("new column", .text("\(derive.to)")),
        .init("map", .text("\(derive.map.table)")), .init("database", .optional(server[0, 0])),
        .init("server", .text("PostgreSQL \(connection.serverVersion)")),
      ] + section.facts
    if server.boolean(0, 1) { section.sentences.append("Read on a standby: what it had replayed by then.") }
    return section
  }

  /// The steps as they stand.
  func steps() throws(PostgresError) -> Evidence.Section {
    try section("steps", "Steps", of: "step", missing: "no step was ever looked at") {
      (section) throws(PostgresError) in
      let table = try table(
        """
        SELECT s.step AS "step", s.state AS "state", s.title AS "what", s.attempts AS "attempts",
               s.lock_wait_ms AS "lock wait, ms", \(Self.time("s.started_at")) AS "begun (UTC)",
               \(Self.time("s.finished_at")) AS "ended (UTC)", s.error AS "error"
          FROM crossfade.step AS s WHERE s.slot = $1 ORDER BY s.started_at NULLS LAST, s.step
        """, numbers: ["attempts", "lock wait, ms"])
      if !table.rows.isEmpty {
        section.tables = [table]
        section.tables[0].kind = 1
        section.sentences = [
          "As each stands now: `done` by Crossfade, `found` there before it came, `undone` by a rollback."
        ]
      }
    }
  }

  /// What became of the rows that were there before.
  func backfill() throws(PostgresError) -> Evidence.Section {
    try section("backfill", "Backfill", of: "backfill", missing: "it has not begun") {
      (section) throws(PostgresError) in
      let has = try BackfillTable.columns(on: connection).contains("overtaken")
      section.facts = try facts(
        """
        SELECT \(Self.time("b.started_at")) AS "begun (UTC)", \(Self.time("b.finished_at")) AS "ended (UTC)",
               to_json(b.bound)::text AS "up to key", b.expected AS "rows expected", b.rows AS "rows looked at",
               b.written AS "written"
        """
          + (has
            ? """
            , b.same AS "right already", b.unmapped AS "unknown to the map, in quarantine",
                     b.refused AS "refused by the server, in quarantine", b.overtaken AS "changed by others meanwhile",
                     b.skipped AS "still held by others", round(b.active_ms)::bigint AS "at work, ms",
                     round(b.throttled_ms)::bigint AS "held by signals, ms", round(b.paused_ms)::bigint AS "paused, ms",
                     round(b.shut_ms)::bigint AS "outside of windows, ms"
            """ : "") + " FROM crossfade.backfill AS b WHERE b.slot = $1",
        numbers: [
          "rows expected", "rows looked at", "written", "right already", "unknown to the map, in quarantine",
          "refused by the server, in quarantine", "changed by others meanwhile", "still held by others",
          "at work, ms", "held by signals, ms", "paused, ms", "outside of windows, ms",
        ])
      if let told = counted(.backfilled) {
        section.tables.append(told)
      }
    }
  }

  /// Every look at the whole table that came to its end, and the one that stands.
  func verifications() throws(PostgresError) -> Evidence.Section {
    var section = try section(
      "verifications", "Verification", of: "verification", missing: "no row was ever compared"
    ) { (section) throws(PostgresError) in
      section.facts = try facts(
        """
        SELECT \(Self.time("v.started_at")) AS "last look begun (UTC)", \(Self.time("v.finished_at")) AS "ended (UTC)",
               v.rows AS "rows looked at", v.settled AS "on their way at first",
               (SELECT coalesce(sum(c.value::bigint), 0)::bigint FROM jsonb_each_text(v.counts) AS c) AS "rows wrong",
               v.undecided AS "rows undecided", nullif(v.counts, '{}')::text AS "wrong rows by class",
               v.since::text AS "everything before was applied at its begin", v.witness::text AS "judged as of",
               v.followed::text AS "verified through", v.invalid AS "does not count any more"
          FROM crossfade.verification AS v WHERE v.slot = $1
        """,
        numbers: ["rows looked at", "on their way at first", "rows wrong", "rows undecided"])
    }
    if let told = counted(.verified) {
      section.sentences.removeAll()
      section.tables = [told]
    }
    return section
  }

  /// How many rows of the quarantine are listed.
  private static let listed = 100

  /// Rows whose new value could not be derived.
  func quarantine() throws(PostgresError) -> Evidence.Section {
    try section("quarantine", "Quarantine", of: "quarantine", missing: "nothing was ever put there") {
      (section) throws(PostgresError) in
      let count =
        try connection.query(
          "SELECT count(*) FROM crossfade.quarantine WHERE slot = $1", [.text(slot)],
          purpose: EvidenceReader.purpose
        ).integer(0, 0) ?? 0
      section.facts = [.init("rows open", .number(count))]
      if count > 0 {
        var rows = try table(
          """
          SELECT q.key::text AS "key",
               CASE WHEN length(q.status) > 300 THEN left(q.status, 300) || '... (' || length(q.status) || ' characters)'
                    ELSE q.status END AS "status", q.reason AS "reason", q.position::text AS "WAL position",
                 \(Self.time("q.first_seen")) AS "first seen (UTC)", \(Self.time("q.last_seen")) AS "last seen (UTC)"
            FROM crossfade.quarantine AS q WHERE q.slot = $1 ORDER BY q.first_seen, q.key LIMIT \(Self.listed)
          """)
        rows.caption = count > Self.listed ? "The first \(Self.listed) of them:" : nil
        section.tables.append(rows)
      }
      if let told = counted(.retried) {
        section.tables.append(told)
      }
      section.sentences.append(
        "A row leaves the quarantine, too, when a later change of it has a status that the map knows: that is not written down."
      )
    }
  }

  /// Which column is derived from which, and who reads which.
  func direction() throws(PostgresError) -> Evidence.Section {
    var section = try section(
      "direction", "Direction and reads", of: "direction", missing: "the new column is derived from the old"
    ) { (section) throws(PostgresError) in
      section.facts = try anyRow(of: "direction")
      if section.facts.isEmpty {
        section.sentences = ["The new column is derived from the old one: nothing else was ever asked for."]
      }
    }
    if tables.isReadable("reads") {
      let reads = try anyRow(of: "reads").map { Evidence.Fact("reads: \($0.label)", $0.value) }
      section.facts += reads
      if reads.isEmpty { section.sentences.append("No reads were ever switched to the new column.") }
    } else if let absence = tables.absence("reads", "no reads were ever switched to the new column") {
      section.sentences.append(absence)
    }
    return section
  }

  /// The slot's row of a table, column by column.
  private func anyRow(of name: String) throws(PostgresError) -> [Evidence.Fact] {
    let rows = try connection.query(
      """
      SELECT e.key, e.value FROM crossfade.\(SQLText.identifier(name)) AS t,
             LATERAL pg_catalog.json_each_text(pg_catalog.row_to_json(t)) WITH ORDINALITY AS e(key, value, place)
       WHERE t.slot = $1 AND e.key <> 'slot' ORDER BY pg_catalog.row_to_json(t)::text, e.place
      """, [.text(slot)], purpose: EvidenceReader.purpose)
    return (0..<rows.rowCount).map {
      Evidence.Fact((rows[$0, 0] ?? "").replacing("_", with: " "), .optional(rows[$0, 1]))
    }
  }

  /// How applications wrote, by what the dual-write saw.
  func writers() throws(PostgresError) -> Evidence.Section {
    try section("writers", "How applications wrote", of: "legacy", missing: "no write was ever counted") {
      (section) throws(PostgresError) in
      let table = try table(
        """
        SELECT l.kind AS "kind", l.application AS "application", sum(l.count)::bigint AS "row changes",
               min(l.day)::text AS "first day", max(l.day)::text AS "last day", \(Self.time("max(l.last_at)")) AS "last (UTC)",
               max(l.last_position)::text AS "last WAL position"
          FROM crossfade.legacy AS l WHERE l.slot = $1 GROUP BY l.kind, l.application
         ORDER BY l.kind COLLATE "C", l.application COLLATE "C"
        """, numbers: ["row changes"])
      guard !table.rows.isEmpty else { return }
      section.tables = [table]
      section.sentences = [
        "`old` changed the old column alone, `new` the new one alone, `both` both, `other` neither; `conflict` both, and they disagree."
      ]
    }
  }

  /// Forward and back on a copy.
  func rehearsals() throws(PostgresError) -> Evidence.Section {
    try section("rehearsals", "Rehearsals", of: "rehearsal", missing: "it was never tried on a copy") {
      (section) throws(PostgresError) in
      var table = try table(
        """
        SELECT \(Self.time("r.at")) AS "ended (UTC)", r.result AS "result", r.by_role AS "by", r.plan_hash AS "plan",
               r.tool_version AS "version", r.details::text AS "details"
          FROM crossfade.rehearsal AS r WHERE r.slot = $1 ORDER BY r.at
        """)
      guard !table.rows.isEmpty else { return }
      table.isLong = true
      table.kind = 1
      section.tables = [table]
    }
  }
}
