import Testing

/// Real clusters, the real `crossfade` binary as a subprocess, application traffic with its own truth.
///
/// One test at a time: each starts servers and processes of its own, and they would only measure each other.
@Suite("Crossfade as a process, beside a real ledger", .serialized) struct Integration {}
