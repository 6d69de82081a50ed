/// One database transaction of the application, drawn before it is run.
enum LedgerWork: Hashable, Sendable {
  case insert(NewTransaction)
  case move(KnownTransaction, to: LegacyStatus)
  case history(id: Int64)
  case batch([LedgerStep])
  case rollback([LedgerStep])
  /// The first steps commit, the second are rolled back to a savepoint between them.
  case savepoint([LedgerStep], undone: [LedgerStep])
  case delete(KnownTransaction)
}

/// One statement of a database transaction that has several.
enum LedgerStep: Hashable, Sendable {
  case insert(NewTransaction)
  case move(KnownTransaction, to: LegacyStatus)
}

/// A card transaction that is to be.
struct NewTransaction: Hashable, Sendable {
  var cardToken: String
  var merchantID: Int32
  var amount_cents: Int64
  var currency: String
  var status: LegacyStatus
}

/// A card transaction as this writer last saw it.
struct KnownTransaction: Hashable, Sendable {
  var id: Int64
  var status: LegacyStatus
}
