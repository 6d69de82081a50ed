import Derivation
import DualWrite
import PGOutput
import Postgres

extension GateFacts {
  /// All of them, in the order in which they are mended best.
  var gates: [Gate] {
    [
      phaseGate, run, backfill, privileges, lagGate, verification, quarantine, map, statuses, textsGate,
      indexGate, foreignKeyGate, leftovers, slotGate, loneGate, reach.gate(definition), rehearsed,
    ] + [filters.gate(definition, isBack: false), wayBack].compactMap { $0 }
  }

  /// Those that traffic moves: looked at again right before readers are told.
  var moving: [Gate] { [run, lagGate, quarantine, slotGate] }

  /// What going back to the old column alone asks: that nobody needs the other way any more.
  func backGates(quiet: Int) -> [Gate] {
    [run, lagGate, quarantine, lone(within: quiet)]
      + [filters.gate(definition, isBack: true)].compactMap { $0 }
  }

  private var derive: SlotDefinition.Derive { definition.derive }

  private var phaseGate: Gate {
    let isReady = phase.map { $0 >= .backfilled && $0 < .contracted } ?? false
    return Gate(
      "phase", passes: isReady, phase.map { "\($0.rawValue), since \(since ?? "?")" } ?? "not recorded",
      threshold: "backfilled or later, and not contracted",
      mend: phase == .contracted
        ? "the old column is retired: there is nothing left to cut over"
        : "crossfade backfill SLOT, then crossfade constrain SLOT")
  }

  private var run: Gate {
    Gate(
      "run", passes: runner != nil, runner ?? "nobody holds the dual-write's lock", threshold: "at work",
      mend: "start `crossfade run SLOT` and leave it running: it keeps both columns in step")
  }

  /// In the standing `both` they refuse by themselves, or derive nothing.
  private var backfill: Gate {
    let isAtWork = deriver != nil && direction.standing == .forward
    return Gate(
      "backfill", passes: !isAtWork, isAtWork ? deriver ?? "" : "none at work",
      threshold: "no backfill, no replay --apply, no quarantine retry at work",
      mend: "wait for it, or stop it: it derives rows as they stand, and would undo what new writers write")
  }

  private var privileges: Gate {
    let names = unwritable.map(\.description).joined(separator: ", ")
    let columns = unwritable.map(\.quoted).joined(separator: ", ")
    guard seesVersions || !unwritable.isEmpty else {
      return Gate(
        "privileges", passes: false, "\(role) may not read xmin and tableoid of the rows",
        threshold: "UPDATE on both columns, SELECT on the table",
        mend: "GRANT SELECT ON \(derive.table.quoted) TO \(SQLText.identifier(role));")
    }
    return Gate(
      "privileges", passes: unwritable.isEmpty,
      unwritable.isEmpty
        ? "\(role) may update \(derive.from) and \(derive.to)" : "\(role) may not update \(names)",
      threshold: "UPDATE on both columns",
      mend: "GRANT UPDATE (\(columns)) ON \(derive.table.quoted) TO \(SQLText.identifier(role));")
  }

  private var lagGate: Gate {
    let wanted = "everything up to \(lag.target) within \(Self.seconds(patience))"
    guard let took = lag.took else {
      return Gate(
        "lag", passes: false,
        "applied up to \(lag.applied), \(Sizes.text(lag.target.bytes(since: lag.applied))) short",
        threshold: wanted,
        mend:
          "see `crossfade status SLOT`; ask where the log of `crossfade run` is, and give --wait more seconds"
      )
    }
    return Gate(
      "lag", passes: true,
      "\(Sizes.text(lag.behind)) behind, applied \(took) ms later",
      threshold: wanted)
  }

  private var verification: Gate {
    let wanted = "every row right as of \(lag.target)"
    switch verified {
    case .never:
      return Gate(
        "verification", passes: false, "no pass has come to its end", threshold: wanted,
        mend: "crossfade verify SLOT")
    case .failed(let why, let hint):
      return Gate(
        "verification", passes: false, why, threshold: wanted, mend: hint ?? "crossfade verify SLOT")
    case .told(let verdict, let through, let age):
      let mend =
        switch verdict {
        case .verified: ""
        case .behind, .undecided: "see `crossfade status SLOT`; give --wait more seconds"
        case .invalid: "crossfade verify SLOT --restart"
        case .unfinished: "crossfade verify SLOT"
        case .differences: "`crossfade verify SLOT` lists them; mend them first"
        }
      return Gate(
        "verification", passes: verdict == .verified,
        verdict == .verified ? "every row is verified as of \(through)" : verdict.description,
        threshold: wanted, age: age, mend: mend)
    }
  }

  private var quarantine: Gate {
    Gate(
      "quarantine", passes: quarantined == 0,
      quarantined == 0
        ? "empty"
        : "\(Sizes.count(quarantined)) \(quarantined == 1 ? "row" : "rows")"
          + (firstQuarantined.map { ", the first \($0)" } ?? ""),
      threshold: "empty",
      mend: quarantineCauses.isEmpty
        ? "`crossfade quarantine list SLOT` says what to do"
        : quarantineCauses.map(\.sentence).joined(separator: "; "))
  }

  private var map: Gate {
    Gate(
      "map", passes: mapFaults.isEmpty && mapRows > 0,
      mapFaults.first.map { "\($0)\(mapFaults.count > 1 ? ", and \(mapFaults.count - 1) more" : "")" }
        ?? "\(mapRows) states, each status there and back",
      threshold: "ids and statuses unique, as the definition lists them",
      mend: "make \(derive.map.table) and derive.map.states say the same, each status once with one id")
  }

  private var statuses: Gate {
    let wanted = "each status of \(derive.table) is in the map"
    if let first = unmapped.first {
      return Gate(
        "statuses", passes: false, first + (unmapped.count > 1 ? ", and \(unmapped.count - 1) more" : ""),
        threshold: wanted, mend: "add it to \(derive.map.table) and derive.map.states")
    }
    switch coverage?.extent {
    case .whole:
      return Gate(
        "statuses", passes: true, "all \(coverage?.statuses.count ?? 0) are", threshold: wanted)
    case .statistics(let milliseconds):
      return Gate(
        "statuses", passes: true,
        "by the planner's statistics: reading the table was cut after \(Self.seconds(milliseconds)); the verification has seen "
          + "each row", threshold: wanted)
    case .tooMany(let limit):
      return Gate(
        "statuses", passes: false, "more than \(limit) distinct values", threshold: wanted,
        mend: "name the column that holds the status in derive.from")
    case nil:
      return Gate(
        "statuses", passes: false, "not looked at: the map could not be read", threshold: wanted,
        mend: "crossfade check SLOT")
    }
  }

  private var textsGate: Gate {
    texts?.gate(derive)
      ?? Gate(
        "map texts", passes: false, "not looked at: the map or \(derive.from) could not be read",
        threshold: "\(derive.from) can hold each", mend: "crossfade check SLOT")
  }

  private var indexGate: Gate { wanted("index", index, on: "\(derive.table)(\(derive.to))") }
  private var foreignKeyGate: Gate {
    wanted("foreign key", foreignKey, on: "\(derive.to) to \(derive.map.table)")
  }

  private func wanted(_ name: String, _ wanted: Wanted, on what: String) -> Gate {
    let value =
      switch wanted {
      case .notAskedFor: "not asked for in the definition"
      case .stands: "\(what), valid"
      case .missing: "none on \(what) that is valid"
      }
    return Gate(
      name, passes: wanted != .missing, value, threshold: "valid", mend: "crossfade constrain SLOT")
  }

  private var leftovers: Gate {
    Gate(
      "leftovers", passes: invalidIndexes.isEmpty,
      invalidIndexes.isEmpty ? "none" : invalidIndexes.joined(separator: ", "),
      threshold: "no INVALID index on \(derive.to)",
      mend: "crossfade constrain SLOT, or DROP INDEX CONCURRENTLY by hand")
  }

  private var slotGate: Gate {
    let wanted = "read by somebody, its WAL kept"
    guard let slot else {
      return Gate(
        "slot", passes: false, "\(definition.slot) does not exist", threshold: wanted,
        mend: "crossfade check SLOT")
    }
    let isSafe = !slot.isLost && slot.walStatus != "unreserved"
    return Gate(
      "slot", passes: isSafe && slot.activePID != nil,
      "wal_status \(slot.walStatus ?? "unknown"), "
        + (slot.activePID.map { "read by server process \($0)" } ?? "read by nobody"), threshold: wanted,
      mend: isSafe ? "start `crossfade run SLOT`" : "let `crossfade run` catch up; `crossfade check SLOT`")
  }

  /// In the standing `both` such writes are what it is for.
  private var loneGate: Gate {
    guard direction.standing != .both else {
      return Gate(
        "lone writes", passes: true, "allowed: both ways are derived since \(direction.since ?? "?")",
        threshold: "none before the direction turns")
    }
    return lone(within: Self.loneWindow)
  }

  private func lone(within seconds: Int) -> Gate {
    let age = loneWrites.age.flatMap { $0 < Double(seconds) ? $0 : nil }
    let span = Self.span(seconds)
    return Gate(
      "lone writes", passes: age == nil,
      age == nil
        ? "none of \(derive.to) alone in the last \(span)"
        : "\(derive.to) was written alone" + (loneWrites.key.map { ", last of row \($0)" } ?? ""),
      threshold: "none in \(span)", age: age,
      mend: direction.standing == .both
        ? "find who writes \(derive.to) alone (`crossfade readiness SLOT`), and let \(span) pass"
        : "whoever writes \(derive.to) alone now is overwritten from \(derive.from): let them wait for the cutover"
    )
  }

  private var rehearsed: Gate {
    let isRequired = definition.migrate.rehearsed == .required
    return Gate(
      "rehearsal", passes: rehearsal != nil || !isRequired,
      rehearsal.map { "passed \($0.at), by \($0.role)" } ?? "none of plan \(plan) has passed"
        + (isRequired ? "" : "; not required"),
      threshold: isRequired ? "one of this plan that passed" : "none (migrate.rehearsed: optional)",
      age: rehearsal?.age, mend: "crossfade rollback SLOT --rehearse")
  }

  /// It closes nothing: who cuts over knows it beforehand.
  private var wayBack: Gate? {
    guard !textless.isEmpty else { return nil }
    let states = textless.joined(separator: ", ")
    return Gate(
      "way back", passes: true,
      "\(derive.from) is required, and no text of it says \(states): `--back --forward-only` waits until no row is in "
        + "\(textless.count == 1 ? "that state" : "those states"), or keeps it nullable",
      threshold: "nothing")
  }

  private static func seconds(_ milliseconds: Int) -> String {
    milliseconds.isMultiple(of: 1_000) ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
  }

  private static func span(_ seconds: Int) -> String { Milliseconds.seconds(seconds).description }
}
