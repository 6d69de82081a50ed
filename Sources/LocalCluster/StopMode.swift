import Glibc

/// How a server is asked to stop (PostgreSQL documentation 19.5, "Shutting Down the Server").
public enum StopMode: String, CaseIterable, Sendable {
  /// Waits for sessions to end.
  case smart
  /// Ends sessions, rolls back, writes a checkpoint; waits for walsenders to have sent everything.
  case fast
  /// Drops everything at once: the next start recovers from the WAL, as after a crash of the server program.
  case immediate

  /// The postmaster's signal for it (`postmaster.c`).
  var signal: Int32 {
    switch self {
    case .smart: SIGTERM
    case .fast: SIGINT
    case .immediate: SIGQUIT
    }
  }
}
