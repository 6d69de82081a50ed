extension BackfillAccount {
  /// What the audit trail says of a backfill that is done.
  var told: AuditEvent.Details {
    var details = AuditEvent.Details()
    details.rows = [
      "looked at": looked, "written": written, "right already": right, "unmapped": unmapped,
      "refused": refused,
      "changed meanwhile": overtaken,
    ]
    return details
  }
}

extension PassState {
  /// What the audit trail says of a pass that has come to its end.
  var told: AuditEvent {
    var details = AuditEvent.Details()
    details.since = "\(since)"
    details.witness = found.witness
    details.result =
      invalid ?? (found.isClean ? "none is wrong" : found.mismatches > 0 ? "differences" : "undecided")
    details.rows = [
      "looked at": found.rows, "wrong": found.mismatches, "undecided": found.undecided,
      "on their way at first": found.settled,
    ]
    for (kind, count) in found.counts where count > 0 { details.rows?[kind.rawValue] = count }
    return AuditEvent(.verified, details: details)
  }
}
