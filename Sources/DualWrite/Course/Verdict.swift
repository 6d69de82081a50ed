/// Which column follows the other.
enum Way: Sendable, Equatable {
  /// The new column follows the old one: its writer does not know the new one.
  case forward
  /// The old column follows the new one.
  case reverse
}

/// What a change tells of its row's two columns, without their values.
struct Sight: Equatable, Sendable {
  /// Whether the row came with this change.
  var isInsert = false
  /// Whether the pair before the change is known; what moved is told only then.
  var hasBefore = true
  /// Whether triggers keep the pair in step.
  var isBridged = false
  var fromMoved = false
  var toMoved = false
  var toIsNull = false
  /// The old column is NULL or has its default: its writer did not name it.
  var fromIsBlank = false
  var agreement = Agreement.agrees

  /// Whether the pair after the change is one that the map gives.
  enum Agreement: Equatable, Sendable {
    case agrees
    /// It is not; and which of the two values the map knows.
    case differs(fromKnown: Bool, toKnown: Bool)
    /// The change does not carry the old column: a TOASTed value that stayed as it was.
    case untold
  }
}

/// What follows from one change. Pure: the rules of `both`, in one place.
struct Verdict: Equatable, Sendable {
  /// How the application wrote, as `crossfade.legacy` counts it.
  enum Kind: String, Sendable, CaseIterable {
    /// The old column alone: a writer that does not know the new one.
    case old
    /// The new column alone.
    case new
    /// Both, in agreement.
    case both
    /// Neither; or an insert that agrees and holds the old column's default, of which nothing can be told.
    case other
    /// Both, and they contradict each other.
    case conflict
  }

  /// What is to be done with the row.
  enum Course: Equatable, Sendable {
    /// Nothing, and what was intended before is void: the pair agrees.
    case settle
    /// What was intended before still is: this change did not touch the pair.
    case keep
    /// One column follows the other.
    case derive(Way)
    /// Neither can be told from the other: it is left as it is, and a human told.
    case refuse(Refusal)
  }

  /// Why a row is left as it is.
  enum Refusal: Equatable, Sendable {
    case unknownStatus
    case unknownState
    case contradiction
    case untold
    /// The bridge, by which no old rows come, has left a pair that does not agree.
    case unbridged
    /// The change came without one of the columns: of the row as it stands it says nothing. Where that agrees, nothing is to be done.
    case unsent

    var reason: String {
      switch self {
      case .unknownStatus: "the map has no such status"
      case .unknownState: "the map has no such state in the new column"
      case .contradiction: "one change wrote both columns, and they contradict each other"
      case .untold:
        "the pair does not agree, and the change came without the old row (REPLICA IDENTITY FULL is gone)"
      case .unbridged:
        "the pair does not agree: one change wrote both columns and they contradict each other, or it was written past the bridge"
      case .unsent:
        "the pair does not agree, and the change came without one of the columns (the publication did not send it)"
      }
    }
  }

  var kind: Kind
  var course: Course

  init(_ kind: Kind, _ course: Course) {
    self.kind = kind
    self.course = course
  }

  init(_ sight: Sight) {
    guard case .differs(let fromKnown, let toKnown) = sight.agreement else {
      self = sight.agreement == .agrees ? Self.agreeing(sight) : Self.untold(sight)
      return
    }
    let forward: Course = fromKnown ? .derive(.forward) : .refuse(.unknownStatus)
    let reverse: Course = toKnown ? .derive(.reverse) : .refuse(.unknownState)
    if sight.hasBefore, !sight.fromMoved, !sight.toMoved {
      self = Verdict(.other, .keep)
    } else if sight.toIsNull {
      // Nobody means NULL by it: the column was left out, or lost its value.
      self = Verdict(.old, forward)
    } else if sight.isInsert, sight.fromIsBlank {
      self = Verdict(.new, reverse)
    } else if !sight.hasBefore {
      let refusal: Refusal = sight.isInsert ? .contradiction : sight.isBridged ? .unbridged : .untold
      let course = Course.refuse(refusal)
      self = Verdict(.conflict, toKnown ? (fromKnown ? course : forward) : reverse)
    } else {
      switch (sight.fromMoved, sight.toMoved) {
      case (true, false): self = Verdict(.old, forward)
      case (false, true): self = Verdict(.new, reverse)
      default:
        self = Verdict(.conflict, toKnown ? (fromKnown ? .refuse(.contradiction) : forward) : reverse)
      }
    }
  }

  private static func agreeing(_ sight: Sight) -> Verdict {
    guard sight.hasBefore else {
      // Where the old column has its default nobody can tell whether its writer named it: as a write of both it would keep
      // `contract` waiting for ever, as one of the new column alone the way back.
      return Verdict(sight.isInsert && sight.fromIsBlank ? .other : .both, .settle)
    }
    switch (sight.fromMoved, sight.toMoved) {
    case (true, true): return Verdict(.both, .settle)
    case (true, false): return Verdict(.old, .settle)
    case (false, true): return Verdict(.new, .settle)
    case (false, false): return Verdict(.other, .settle)
    }
  }

  /// The old column was not sent: it did not move, and its value is not known here. The server knows it.
  private static func untold(_ sight: Sight) -> Verdict {
    if sight.toIsNull { return Verdict(.old, .derive(.forward)) }
    // At rest: the old column is gone, and whoever inserts writes the new one.
    if sight.isInsert { return Verdict(.new, .derive(.reverse)) }
    if sight.hasBefore { return sight.toMoved ? Verdict(.new, .derive(.reverse)) : Verdict(.other, .keep) }
    return Verdict(.other, .keep)
  }
}
