import Glibc
import LocalCluster

/// The real `crossfade` beside this executable, on a slot definition of its own.
struct CrossfadeRun {
  let binary: String
  let slot: String
  let definition: String
  let environment: [String: String]

  init(
    _ bench: BenchCluster, slot: String, batch: Int = 5000, streaming: Bool = false, serve: String? = nil,
    backfill: String? = nil
  ) throws {
    self.slot = slot
    binary = try Self.sibling()
    definition = "\(bench.directory)/\(slot).yaml"
    environment = ["CROSSFADE_SOURCE": bench.cluster.conninfo()]
    let text = """
      \(Self.derivation(slot: slot))
      publication: bench
      log:
        directory: \(bench.directory)/\(slot)
      write:
        batch: \(batch)
      stream:
        streaming: \(streaming)
      \(serve.map { "serve:\n  listen: \($0)" } ?? "")
      \(backfill.map { "backfill:\n\($0)" } ?? "")
      """
    guard let file = fopen(definition, "w") else { throw BenchError("cannot write \(definition)") }
    fputs(text + "\n", file)
    fclose(file)
  }

  /// The first sections of a definition: the slot of the ledger's migration. What belongs to its map comes next.
  static func derivation(slot: String) -> String {
    """
    version: 1
    slot: \(slot)
    source:
      connection: ${CROSSFADE_SOURCE}
    derive:
      table: public.transactions
      key: [id]
      from: status
      to: state_id
      map:
        table: public.transaction_state
        id: id
        code: code
        status: legacy_status
    """
  }

  /// The executable beside this one.
  static func sibling() throws -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard length > 0 else { throw BenchError("cannot find this executable") }
    let own = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let binary = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/crossfade"
    guard access(binary, X_OK) == 0 else {
      throw BenchError("\(binary) is missing: build the product crossfade")
    }
    return binary
  }

  func start() throws -> MeasuredRun.Running {
    try MeasuredRun.start(
      [binary, "run", definition, "--log-level", "warning"], environment: environment)
  }
}
