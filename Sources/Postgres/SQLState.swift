/// A five-character SQLSTATE (PostgreSQL, appendix A).
public struct SQLState: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
  /// The five characters.
  public let rawValue: String

  /// A state from its five characters.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// The first two characters: the class of the condition.
  public var category: String { String(rawValue.prefix(2)) }

  /// The five characters.
  public var description: String { rawValue }

  /// `serialization_failure`.
  public static let serializationFailure = SQLState(rawValue: "40001")
  /// `deadlock_detected`.
  public static let deadlockDetected = SQLState(rawValue: "40P01")
  /// `lock_not_available`.
  public static let lockNotAvailable = SQLState(rawValue: "55P03")
  /// `query_canceled`.
  public static let queryCanceled = SQLState(rawValue: "57014")
  /// `admin_shutdown`.
  public static let adminShutdown = SQLState(rawValue: "57P01")
  /// `crash_shutdown`.
  public static let crashShutdown = SQLState(rawValue: "57P02")
  /// `cannot_connect_now`.
  public static let cannotConnectNow = SQLState(rawValue: "57P03")
  /// `read_only_sql_transaction`: a standby, or a server that was set so.
  public static let readOnlyTransaction = SQLState(rawValue: "25006")
  /// `object_in_use`.
  public static let objectInUse = SQLState(rawValue: "55006")
  /// `object_not_in_prerequisite_state`.
  public static let objectNotInPrerequisiteState = SQLState(rawValue: "55000")
  /// `undefined_object`.
  public static let undefinedObject = SQLState(rawValue: "42704")
  /// `undefined_table`.
  public static let undefinedTable = SQLState(rawValue: "42P01")
  /// `undefined_schema`.
  public static let undefinedSchema = SQLState(rawValue: "3F000")
  /// `undefined_function`.
  public static let undefinedFunction = SQLState(rawValue: "42883")
  /// `duplicate_object`.
  public static let duplicateObject = SQLState(rawValue: "42710")
  /// `insufficient_privilege`.
  public static let insufficientPrivilege = SQLState(rawValue: "42501")
  /// `too_many_connections`.
  public static let tooManyConnections = SQLState(rawValue: "53300")
  /// `configuration_limit_exceeded`.
  public static let configurationLimitExceeded = SQLState(rawValue: "53400")

  /// Whether the same transaction may succeed when tried again on the same connection: a lock wait cut by
  /// `lock_timeout`, a deadlock, a serialization failure.
  public var isTransient: Bool {
    category == "40" || self == .lockNotAvailable
  }

  /// Whether the server is going away, coming up or short of resources: worth a new connection later.
  public var isServerUnavailable: Bool {
    switch rawValue {
    case "57P01", "57P02", "57P03", "57P05": return true
    default: return category == "08" || category == "53"
    }
  }
}
