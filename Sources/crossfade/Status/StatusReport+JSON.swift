import Capture
import ChangeLog
import DualWrite
import Migration
import Operations
import PGOutput
import Postgres

extension StatusReport {
  /// The standing as one JSON object: bytes and seconds as numbers, positions as PostgreSQL prints them.
  var json: JSONValue {
    [
      "slot": .string(standing.slot), "at": .string("\(standing.now)"),
      "waiting_for": .string(standing.sentence),
      "server": server, "stages": .array(standing.stages.map(Self.stage)), "rates": rates,
      "replication_slot": replicationSlot, "checkpoint": checkpoint, "quarantine": quarantine,
      "backfill": backfill, "direction": direction, "reads": reads,
      "log": log, "keeping": keeping, "subscribers": subscriberList, "prepared": prepared, "process": process,
    ]
  }

  private static func stage(_ stage: Standing.Stage) -> JSONValue {
    [
      "stage": .string(stage.name), "position": position(stage.position),
      "bytes_behind": stage.bytesBehind.map { .unsigned($0) } ?? .null,
      "seconds_behind": number(stage.secondsBehind),
    ]
  }

  private var server: JSONValue {
    [
      "reachable": .bool(standing.server != nil), "error": standing.outage.map { .string($0) } ?? .null,
      "wal": Self.position(standing.server?.current),
    ]
  }

  private var rates: JSONValue {
    guard let rates = standing.rates else { return .null }
    return [
      "transactions_per_second": .number(rates.transactions), "changes_per_second": .number(rates.changes),
      "wal_bytes_per_second": .number(rates.walBytes),
    ]
  }

  private var reads: JSONValue {
    guard let reads = standing.server?.reads else { return .null }
    return [
      "percent": .integer(Int64(reads.percent)), "since": reads.since.map { .string($0) } ?? .null,
      "by": reads.role.map { .string($0) } ?? .null,
    ]
  }

  private var replicationSlot: JSONValue {
    guard let server = standing.server, let slot = server.slot else { return .null }
    return [
      "active_pid": slot.activePID.map { .integer(Int64($0)) } ?? .null,
      "restart": Self.position(slot.restartLSN), "confirmed": Self.position(slot.confirmedFlushLSN),
      "retained_bytes": server.retained.map { .unsigned($0) } ?? .null,
      "safe_wal_bytes": slot.safeWALSize.map { .integer($0) } ?? .null,
      "wal_status": slot.walStatus.map { .string($0) } ?? .null,
    ]
  }

  private var checkpoint: JSONValue {
    guard let server = standing.server, let checkpoint = server.checkpoint else { return .null }
    return [
      "position": Self.position(checkpoint.endLSN), "age_seconds": Self.number(server.checkpointAge),
      "transactions": .integer(checkpoint.transactions), "changes": .integer(checkpoint.changes),
    ]
  }

  private var quarantine: JSONValue {
    guard let server = standing.server else { return .null }
    return [
      "rows": .integer(server.quarantined),
      "first": .array(
        server.firstQuarantined.map { row in
          ["key": .string(row.key), "status": row.status.map { .string($0) } ?? .null]
        }),
      "causes": QuarantineListCommand.causes(server.quarantineCauses),
    ]
  }

  private var backfill: JSONValue {
    standing.server?.backfill.map { BackfillReport($0).standing } ?? .null
  }

  private var log: JSONValue {
    guard let log = standing.log.summary else {
      return standing.log.trouble.map { ["error": .string($0)] } ?? .null
    }
    return [
      "start": Self.position(log.start), "end": Self.position(log.end),
      "watermark": Self.position(log.watermark),
      "segments": .integer(Int64(log.segments)), "bytes": .unsigned(log.bytes),
      "oldest_unapplied": standing.log.oldestUnapplied.map { .string("\($0)") } ?? .null,
      "error": standing.log.trouble.map { .string($0) } ?? .null,
    ]
  }

  private var prepared: JSONValue {
    .array(
      standing.log.prepared.map { transaction in
        [
          "gid": .string(transaction.gid), "xid": .integer(Int64(transaction.xid.rawValue)),
          "prepared_at": .string("\(transaction.prepareTime)"),
          "age_seconds": .number(StatusReport.age(transaction.prepareTime, standing.now)),
          "position": Self.position(transaction.endLSN), "changes": .integer(Int64(transaction.changes)),
          "bytes": .integer(Int64(transaction.bytes)),
        ]
      })
  }

  private var process: JSONValue {
    guard let process = standing.process else { return .null }
    return [
      "pid": .integer(Int64(process.pid)), "alive": .bool(process.isAlive),
      "age_seconds": .number(process.age),
      "capture": .string(process.capturePhase),
      "capture_waits_for": process.captureWaits.map { .string($0) } ?? .null,
      "open_streams": .integer(Int64(process.openStreams)),
      "spooled_bytes": .integer(Int64(process.spooledBytes)),
      "dual_write": .string(process.dualWritePhase),
      "dual_write_waits_for": process.dualWriteWaits.map { .string($0) } ?? .null,
    ]
  }

  private static func position(_ lsn: LSN?) -> JSONValue { lsn.map { .string("\($0)") } ?? .null }

  private static func number(_ value: Double?) -> JSONValue { value.map { .number($0) } ?? .null }
}
