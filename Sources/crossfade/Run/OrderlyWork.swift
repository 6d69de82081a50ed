import ServiceLifecycle

/// Work that ends when it is asked to, in order: by a graceful shutdown or, where another service broke the group, by a
/// cancellation. Either way it is waited for.
struct OrderlyWork: Sendable {
  let work: @Sendable () async throws -> Void
  let stop: @Sendable () -> Void

  func run() async throws {
    try await withTaskCancellationOrGracefulShutdownHandler {
      try await work()
    } onCancelOrGracefulShutdown: {
      stop()
    }
  }
}
