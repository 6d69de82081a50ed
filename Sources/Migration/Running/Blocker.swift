/// A session that holds a lock which a step needs.
public struct Blocker: Sendable, Hashable, Codable {
  /// Its server process; nil for a prepared transaction, which has none.
  public var pid: Int64?
  /// Its `application_name`, or the name of the prepared transaction.
  public var application: String
  /// Its role.
  public var user: String
  /// Its state: `active`, `idle in transaction`, `prepared`; empty where the role may not see it.
  public var state: String
  /// Seconds since its transaction began; nil where the role may not see it.
  public var transactionSeconds: Int64?
  /// The strongest conflicting lock that it holds.
  public var mode: String
  /// Its query; only where the definition allows for it, since it may hold card data.
  public var query: String?
  /// Whether the server cancels it by itself once we have waited for `deadlock_timeout`: an ordinary autovacuum.
  public var yields: Bool

  /// A blocker from its parts.
  public init(
    pid: Int64?, application: String, user: String = "", state: String, transactionSeconds: Int64?,
    mode: String = "", query: String? = nil, yields: Bool = false
  ) {
    self.pid = pid
    self.application = application
    self.user = user
    self.state = state
    self.transactionSeconds = transactionSeconds
    self.mode = mode
    self.query = query
    self.yields = yields
  }
}

extension Blocker: CustomStringConvertible {
  /// `pid 4711 (payout, idle in transaction, transaction open for 62 s)`.
  public var description: String {
    var facts = [application.isEmpty ? "no application_name" : application]
    if !state.isEmpty { facts.append(state) }
    if let transactionSeconds { facts.append("transaction open for \(transactionSeconds) s") }
    return (pid.map { "pid \($0)" } ?? "a prepared transaction") + " (" + facts.joined(separator: ", ") + ")"
  }
}
