import Foundation

/// What the audit trail tells.
extension ReportSource {
  private typealias Table = Evidence.Table

  private func details(_ row: AuditTrail.Row) -> AuditEvent.Details? {
    try? JSONDecoder().decode(AuditEvent.Details.self, from: Data(row.details.utf8))
  }

  /// Who did it, from where.
  private func author(_ row: AuditTrail.Row) -> Evidence.Cell {
    .text("\(row.role), \(row.operatingSystemUser), \(row.client)")
  }

  private var missing: String? {
    tables.absence("audit", "nothing was ever done")
      ?? tables.absence("migration", "nothing was ever done")
  }

  /// A section of what the trail tells, or of why there is none.
  private func section(
    _ id: String, _ title: String, _ fill: (inout Evidence.Section) -> Void
  ) -> Evidence.Section {
    var section = Evidence.Section(id: id, title: title)
    if let missing { section.sentences = [missing] } else { fill(&section) }
    return section
  }

  /// The phases, and when each was entered.
  var phases: Evidence.Section {
    section("phases", "Phases") { section in
      let entered = rows.filter { $0.event == AuditEvent.Kind.phase.rawValue }
      guard !entered.isEmpty else {
        section.sentences = ["Not yet: it is where it began."]
        return
      }
      var table = Table(columns: ["entered (UTC)", "from", "to", "by", "WAL position", "row"], rows: [])
      for row in entered {
        let told = details(row)
        table.rows.append([
          .text(row.at), .optional(told?.from), .optional(told?.to), author(row), .text(row.lsn),
          .number(row.number),
        ])
      }
      section.tables = [table]
    }
  }

  /// Every entry, with what was run.
  var statements: Evidence.Section {
    section("statements", "What was done, by whom") { section in
      section.sentences = [
        "Every row of the audit trail, in order. Each was written in the transaction of what it tells, and sealed with the hash of the row before.",
        "A statement's lock wait is the time that its lock was waited for, all attempts together.",
      ]
      var table = Table(
        columns: [
          "row", "at (UTC)", "event", "step", "by", "client", "version", "lock wait, ms", "WAL position",
          "details",
          "statement", "hash",
        ], rows: [], isLong: true, kind: 2)
      for row in rows {
        table.rows.append([
          .number(row.number), .text(row.at), .text(row.event), .optional(row.step),
          .text("\(row.role), \(row.operatingSystemUser)"), .text(row.client), .text(row.toolVersion),
          .optional(row.lockWait), .text(row.lsn), row.details == "{}" ? .none : .code(row.details),
          row.statement.map { .code($0) } ?? .none, .text(row.hash),
        ])
      }
      section.tables = [table]
    }
  }

  /// Locks that were waited for, and who held them.
  var lockWaits: Evidence.Section {
    section("lock_waits", "Locks waited for, and who held them") { section in
      let waits = rows.compactMap(\.lockWait)
      section.facts = [
        .init("entries that took locks", .number(Int64(waits.count))),
        .init("longest wait of one, all attempts together, ms", .optional(waits.max())),
      ]
      var table = Table(
        columns: ["row", "step", "process", "application", "role", "state", "transaction open, s", "lock"],
        rows: [])
      for row in rows {
        for blocker in details(row)?.blockers ?? [] {
          table.rows.append([
            .number(row.number), .optional(row.step), .optional(blocker.pid), .text(blocker.application),
            .text(blocker.user), .text(blocker.state), .optional(blocker.transactionSeconds),
            .text(blocker.mode),
          ])
        }
      }
      table.caption = "Who held a lock while it was wanted:"
      if table.rows.isEmpty {
        section.sentences = ["Nobody stood in the way."]
      } else {
        section.tables = [table]
      }
    }
  }

  /// What was undone.
  var waysBack: Evidence.Section {
    section("rollbacks", "Ways back that were taken") { section in
      var table = Table(columns: ["row", "at (UTC)", "step undone", "by", "WAL position"], rows: [])
      for row in rows where row.event == AuditEvent.Kind.undone.rawValue {
        table.rows.append([
          .number(row.number), .text(row.at), .optional(row.step), author(row), .text(row.lsn),
        ])
      }
      section.sentences = table.rows.isEmpty ? ["Nothing was ever undone."] : []
      if !table.rows.isEmpty { section.tables = [table] }
    }
  }

  /// Entries of a kind that tell counts of rows.
  func counted(_ kind: AuditEvent.Kind) -> Evidence.Table? {
    let told = rows.filter { $0.event == kind.rawValue }.map { ($0, details($0)) }
    guard !told.isEmpty else { return nil }
    let names = Set(told.flatMap { ($0.1?.rows ?? [:]).keys }).sorted()
    let isLook = kind == .verified
    let captions: [AuditEvent.Kind: String] = [
      .verified: "Every look at the whole table that came to its end, by the audit trail:",
      .backfilled: "Every time it came to its end, by the audit trail:",
      .retried: "What `crossfade quarantine retry` tried and released, by the audit trail:",
    ]
    var table = Table(
      columns: ["row", "at (UTC)"] + (isLook ? ["result", "begun at", "judged at"] : [])
        + names.map { "rows \($0)" } + ["by"], rows: [], caption: captions[kind])
    for (row, details) in told {
      table.rows.append(
        [.number(row.number), .text(row.at)]
          + (isLook
            ? [.optional(details?.result), .optional(details?.since), .optional(details?.witness)] : [])
          + names.map { .optional(details?.rows?[$0]) } + [.text(row.role)])
    }
    return table
  }
}

/// The chain of hashes.
struct ChainSection {
  let faults: [AuditTrail.Fault]
  /// Nil where they could not be read.
  let rows: [AuditTrail.Row]?
  let tables: ReportTables

  var end: Evidence.End? { rows.map { .init(rows: $0.count, hash: $0.last?.hash ?? "") } }

  var section: Evidence.Section {
    var section = Evidence.Section(id: "chain", title: "The chain of hashes")
    guard let end else {
      section.sentences = [tables.absence("audit", "there is no trail") ?? "There is no trail."]
      return section
    }
    section.sentences =
      faults.isEmpty
      ? ["The chain holds: every row has the hash of its content and of the row before, and none is missing."]
      : ["The chain does not hold:"] + faults.map(\.description)
    section.sentences += [
      "Whoever can write to the tables could write a new chain. Compare the last hash with one that was kept elsewhere, such as "
        + "in an earlier copy of this report: an earlier copy's last hash must stand at its row here.",
      "A hash is the SHA-256, in hexadecimal digits, of the hash before, a line feed, and the JSON array that "
        + "`crossfade audit --verify` builds of the row's columns.",
    ]
    section.facts = [
      .init("rows", .number(Int64(end.rows))), .init("last hash", .code(end.hash)),
    ]
    return section
  }
}
