import Derivation
import DualWrite
import Glibc
import Migration
import Operations
import PGOutput
import Postgres

/// Looks at a slot again and again, over one session as long as it holds, and measures rates between two looks.
final class StandingObserver {
  private let definition: SlotDefinition
  private let interrupt: Interrupt
  private var connection: Connection?
  private var last: (server: ServerStanding, at: ContinuousClock.Instant)?

  init(definition: SlotDefinition, interrupt: Interrupt) {
    self.definition = definition
    self.interrupt = interrupt
  }

  /// Where it stands now, and why the server could not be asked.
  func look() -> (standing: Standing, outage: PostgresError?) {
    var server: ServerStanding?
    var outage: PostgresError?
    do { server = try ask() } catch {
      outage = error
      connection = nil
    }
    let at = ContinuousClock.now
    var rates: Standing.Rates?
    if let server, let last {
      rates = Standing.Rates(from: last.server, to: server, seconds: (at - last.at) / .seconds(1))
    }
    last = server.map { ($0, at) }
    let directory = definition.log.directory
    let process = RecordedStatus.read(directory: directory)
    let log = LogStanding.look(
      directory: directory, applied: server.map { $0.checkpoint?.endLSN ?? .invalid } ?? process?.applied)
    let clock = UTCInstant.now()
    let standing = Standing(
      slot: definition.slot, server: server, outage: outage.map { "\($0)" }, log: log, process: process,
      rates: rates,
      now: Timestamp(unixMicroseconds: clock.seconds * 1_000_000 + Int64(clock.nanoseconds) / 1000))
    return (standing, outage)
  }

  private func ask() throws(PostgresError) -> ServerStanding {
    let session: Connection
    if let connection {
      session = connection
    } else {
      session = try Connection(
        definition.source.revealed,
        options: .init(
          applicationName: "crossfade status \(definition.slot)",
          settings: [("search_path", "pg_catalog"), ("statement_timeout", "10000")]), interrupt: interrupt)
      try session.makeReadOnly()
      connection = session
    }
    return try ServerStanding.ask(definition, on: session)
  }
}
