extension Step {
  /// The step that undoes this one; nil where there is nothing to undo by statements.
  public var reversed: Step? {
    guard !wayBack.isEmpty else { return nil }
    var hazards: Set<Hazard> = []
    if wayBackLocks.contains(where: { $0.mode == .accessExclusive }) { hazards.insert(.accessExclusiveLock) }
    return Step(
      id: id, phase: phase, title: "undo: \(title)", manner: wayBackAlone ? .alone : .transaction,
      statements: wayBack, locks: wayBackLocks, lockTimeout: wayBackAlone ? nil : lockTimeout ?? 100...2_000,
      statementTimeout: wayBackAlone ? 0 : 10_000, hazards: hazards, probe: probe.map { CatalogProbe.not($0) }
    )
  }
}
