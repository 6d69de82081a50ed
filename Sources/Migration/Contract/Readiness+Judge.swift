import Derivation
import DualWrite
import PGOutput

/// The judgement of each gate. Pure: facts go in.
extension ReadinessFacts {
  /// All gates, in the order in which they are worth mending.
  var gates: [ReadinessGate] {
    [phaseGate, bridgeGate, runGate, directionGate, legacyGate, bothGate, dependentsGate, verificationGate]
      .compactMap { $0 } + [quarantineGate]
  }

  private var phaseGate: ReadinessGate {
    guard let state else {
      return .fails(.phase, "nothing of the migration is recorded", "run `crossfade expand SLOT` first")
    }
    guard state.phase >= .cutOver else {
      return .fails(
        .phase, "the migration is \(state.phase.rawValue) since \(state.since), not cut over",
        "the old column is read and written until `crossfade cutover SLOT`")
    }
    return .holds(.phase, "\(state.phase.rawValue) since \(state.since)")
  }

  private var runGate: ReadinessGate {
    guard let runner else {
      return .fails(
        .dualWrite, "`crossfade run` is not at work: what is written now is not seen",
        "start it; time in which nothing is seen does not count as quiet")
    }
    guard seen.isCurrent else {
      let through = seen.time.map { "what committed \(QuietClock.text(seen.now - $0)) ago" } ?? "nothing yet"
      return .fails(
        .dualWrite, "the dual-write lags: it has seen \(through)",
        "`crossfade status SLOT` says what it waits for")
    }
    return .holds(.dualWrite, "at work and caught up, at \(seen.position) (\(runner))")
  }

  private var directionGate: ReadinessGate {
    let since = directionSince.map { " since \(UTCText.of($0))" } ?? ""
    switch direction.standing {
    case .forward:
      return .fails(
        .direction, "only \(derive.to) is derived from \(derive.from), not the other way",
        "`crossfade cutover SLOT` turns it")
    case .both: return .holds(.direction, "both columns are kept in step\(since)")
    case .rest: return .holds(.direction, "the dual-write is at rest\(since): the old column may go")
    }
  }

  private var legacyGate: ReadinessGate {
    if isBridged, serverMajor < 14 {
      return .fails(
        .legacyWrites,
        "PostgreSQL \(serverMajor) sends no logical messages, so the stream does not show who writes \(derive.from) alone: "
          + "the bridge hides it",
        "drop the bridge: set `migrate.bridge: none`, drop its triggers, run `crossfade cutover SLOT` again")
    }
    return quietGate(
      .legacyWrites, clock, account.last { $0.isLegacy(bridged: isBridged) }, of: "legacy write",
      "whoever writes so must write \(derive.to) instead; `crossfade readiness SLOT` shows the last keys")
  }

  /// Without a bridge a change in which both are in step comes from a writer that names the old column, which the rename
  /// would make fail; with one it may be the bridge's doing.
  private var bothGate: ReadinessGate? {
    guard !isBridged else { return nil }
    return quietGate(
      .bothColumns, clock { $0.kind == .both }, account.last { $0.kind == .both },
      of: "write of both columns",
      "whoever writes so must leave \(derive.from) out: those statements fail once it is renamed")
  }

  private func quietGate(
    _ name: ReadinessGate.Name, _ clock: QuietClock, _ last: LegacyAccount.Line?, of what: String,
    _ hint: String
  ) -> ReadinessGate {
    guard let quiet = clock.quiet else {
      return .fails(name, "not cut over: quiet is counted from the cutover on", hint)
    }
    let since = (last?.lastAt).flatMap { $0 > clock.cutover ?? 0 ? $0 : nil }
    let by = last.map { $0.application.isEmpty ? "" : " by \($0.application)" } ?? ""
    let found =
      since.map { "the last \(what)\(by) was \(QuietClock.text(seen.now - $0)) ago" }
      ?? "no \(what) in the \(QuietClock.text(quiet)) since the cutover"
    let asked = definition.migrate.quiet.count == 0 ? "no quiet" : "\(definition.migrate.quiet) of quiet"
    guard !clock.isReached else { return .holds(name, "\(found); migrate.quiet asks for \(asked)") }
    return .fails(
      name, "\(found); migrate.quiet asks for \(asked), \(QuietClock.text(clock.missing)) to go",
      since == nil ? "wait; a \(what) begins the count anew" : hint)
  }

  private var dependentsGate: ReadinessGate {
    guard let dependents else { return .holds(.dependents, "the old column is gone") }
    let blocking = dependents.blocking
    guard !blocking.isEmpty else {
      let perhaps = dependents.perhaps
      return .holds(
        .dependents,
        "nothing that the catalogs know of needs \(derive.from)"
          + (perhaps.isEmpty ? "" : "; by its text perhaps \(perhaps.map(\.name).joined(separator: ", "))"))
    }
    let names = blocking.prefix(8).map(\.name).joined(separator: ", ")
    let more = blocking.count > 8 ? " and \(blocking.count - 8) more" : ""
    var said: Set<String> = []
    let remedies = blocking.filter { said.insert($0.remedy).inserted }
      .map { "\($0.kind.rawValue): \($0.remedy)" }.joined(separator: " | ")
    return .fails(
      .dependents, "\(names)\(more) depend\(blocking.count == 1 ? "s" : "") on \(derive.from)", remedies)
  }

  private var verificationGate: ReadinessGate {
    guard let verified, let verdict else {
      return .fails(
        .verification, "nothing was ever verified",
        "run `crossfade verify SLOT`: it compares both columns in every row")
    }
    guard verdict == .verified else {
      let found =
        if case .behind(let through) = verdict {
          "the last one is of before the cutover: it saw what was written up to \(through)"
        } else {
          "\(verdict)"
        }
      return .fails(.verification, found, "run `crossfade verify SLOT --restart`")
    }
    let behind = seen.position > verified.through ? seen.position.bytes(since: verified.through) : 0
    return .holds(
      .verification,
      "\(verified.rows) rows, every one right as of \(verified.through)"
        + (behind > 0 ? ", \(behind) bytes of WAL ago" : ""))
  }

  private var quarantineGate: ReadinessGate {
    guard quarantined > 0 else { return .holds(.quarantine, "empty") }
    return .fails(
      .quarantine, "\(quarantined) \(quarantined == 1 ? "row is" : "rows are") in quarantine",
      "`crossfade quarantine list SLOT` shows them")
  }

  private var bridgeGate: ReadinessGate? {
    guard isBridged, definition.migrate.bridge != .trigger else { return nil }
    return .fails(
      .bridge, "the triggers of the bridge stand, and the definition says `bridge: none`",
      "write `migrate.bridge: trigger`, so that the rename ends them; or drop them")
  }
}
