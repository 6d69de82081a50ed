import ArgumentParser
import Capture
import Derivation
import DualWrite
import Logging
import Operations
import ServiceLifecycle
import Subscriptions

/// Serves the slot over HTTP beside the pipeline. Where the address is taken it tries again and says so: capture goes on
/// without it.
struct ServingService: Service {
  private let plan: ServePlan
  private let slots: [ServedSlot]
  private let logger: Logger

  /// Throws when certificate or tokens cannot be used: that is the definition's fault, and is told before anything runs.
  init(_ serve: SlotDefinition.Serve, pipeline: Pipeline, logger: Logger) throws(Failure) {
    plan = ServePlan(serve)
    slots = [ServedSlot(pipeline)]
    self.logger = logger
    _ = try server()
  }

  func run() async throws {
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        try await server().run()
        return
      } catch let error as ServeError {
        logger.error(
          "not served; trying again in 10 s", metadata: ["error": "\(error)", "hint": "\(error.hint)"])
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(10)) }
      }
    }
  }

  private func server() throws(Failure) -> SlotServer {
    do throws(ServeError) { return try SlotServer(plan, slots: slots, logger: logger) } catch {
      throw Failure(
        summary: error.description, hint: error.hint, exitCode: ExitCode.badConfiguration.rawValue)
    }
  }
}

extension ServedSlot {
  /// The slot of a pipeline, as `status.json` has it.
  fileprivate init(_ pipeline: Pipeline) {
    self.init(
      name: pipeline.definition.slot,
      status: {
        LiveStatus(
          capture: pipeline.capture.status.current, dualWrite: pipeline.dualWrite.status.current,
          keeper: pipeline.keeper.status
        ).json.compact
      },
      reads: { _ in nil })
  }
}
