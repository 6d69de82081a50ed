/// The keys that a mapping of the slot definition may hold, in the order of the documentation.
struct SectionSchema {
  var name: String
  var keys: [String]
  /// How to write the mapping, for the hint when something else stands there.
  var example: String

  static let root = SectionSchema(
    name: "",
    keys: [
      "version", "slot", "publication", "source", "derive", "log", "confirm", "stream", "write", "backfill",
      "migrate", "events", "serve",
    ],
    example: "begin with `version: 1`, then `slot:`, `source:`, `derive:` and `log:`")
  static let source = SectionSchema(
    name: "source", keys: ["connection"], example: "write `connection: ${CROSSFADE_SOURCE}` indented under it"
  )
  static let derive = SectionSchema(
    name: "derive", keys: ["layout", "table", "key", "from", "to", "map"],
    example: "write `table:`, `key:`, `from:`, `to:` and `map:` indented under it")
  static let map = SectionSchema(
    name: "derive.map", keys: ["table", "id", "code", "status", "states"],
    example: "write `table:`, `id:`, `code:` and `status:` indented under it")
  static let state = SectionSchema(
    name: "derive.map.states[]", keys: ["id", "code", "status"],
    example: "write `{id: 1, code: authorized, status: AUTH}`")
  static let log = SectionSchema(
    name: "log", keys: ["directory", "segment", "retain", "archive", "restore", "command_timeout"],
    example: "write `directory: PATH` indented under it")
  static let retain = SectionSchema(
    name: "log.retain", keys: ["age", "size", "reader_lag"],
    example: "write `age: 30d`, `size: 100GiB` or both indented under it")
  static let stream = SectionSchema(
    name: "stream", keys: ["streaming", "two_phase", "binary", "origin", "failover"],
    example: "write its keys indented under it, or remove it for the defaults")
  static let write = SectionSchema(
    name: "write", keys: ["batch", "lock_timeout", "statement_timeout", "synchronous_commit"],
    example: "write its keys indented under it, or remove it for the defaults")
  static let backfill = SectionSchema(
    name: "backfill",
    keys: ["batch", "pause", "target", "wal", "lock_timeout", "triggers", "windows", "signals"],
    example: "write its keys indented under it, or remove it for the defaults")
  static let signals = SectionSchema(
    name: "backfill.signals",
    keys: SlotDefinition.Signal.allCases.map(\.rawValue) + ["flag_file", "queries"],
    example: "write its keys indented under it, or remove it for the defaults")
  static let signal = SectionSchema(
    name: "backfill.signals.*", keys: ["limit", "on_unknown"],
    example: "write `{limit: 5s, on_unknown: stop}`")
  static let query = SectionSchema(
    name: "backfill.signals.queries[]", keys: ["name", "sql", "limit", "on_unknown"],
    example: "write `{name: queue, sql: SELECT count(*) FROM jobs, limit: 1000}`")

  static let events = SectionSchema(
    name: "events", keys: ["entity", "columns"],
    example: "write `columns: [amount_cents]` indented under it, or remove it for the defaults")
  static let serve = SectionSchema(
    name: "serve", keys: ["listen", "tls", "tokens", "connections", "subscriber_lag"],
    example: "write `listen: 127.0.0.1:8642` indented under it")
  static let tls = SectionSchema(
    name: "serve.tls", keys: ["certificate", "key"],
    example: "write `certificate:` and `key:` indented under it, each the path of a PEM file")

  static let migrate = SectionSchema(
    name: "migrate",
    keys: [
      "index", "index_workers", "foreign_key", "bridge", "lock_timeout", "lock_budget", "quiet", "grace",
      "rehearsed",
      "record_queries", "accept",
    ], example: "write its keys indented under it, or remove it for the defaults")

  static let all = [
    root, source, derive, map, log, retain, stream, write, backfill, signals, signal, query, migrate, events,
    serve, tls,
  ]

  /// Where a key that stands in the wrong mapping belongs.
  static func home(of key: String) -> String? {
    let homes = all.filter { $0.keys.contains(key) }
    guard !homes.isEmpty else { return nil }
    return homes.map { $0.name.isEmpty ? "at the top level" : "under `\($0.name)`" }.joined(separator: " or ")
  }
}
