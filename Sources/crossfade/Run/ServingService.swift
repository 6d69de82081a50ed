import ArgumentParser
import Capture
import ChangeLog
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
  private let map: KnownMap
  private let reads: TurnedReads
  private let book: SubscriberBook
  private let logger: Logger

  /// Throws when certificate or tokens cannot be used: that is the definition's fault, and is told before anything runs.
  init(_ serve: SlotDefinition.Serve, pipeline: Pipeline, book: SubscriberBook, logger: Logger)
    throws(Failure)
  {
    plan = ServePlan(serve)
    let map = KnownMap(pipeline.definition, logger: logger)
    self.map = map
    let reads = TurnedReads(pipeline.definition, logger: logger)
    self.reads = reads
    self.book = book
    slots = [
      ServedSlot(
        pipeline, map: map, reads: reads, book: book, restore: try pipeline.definition.log.restoreCommand())
    ]
    self.logger = logger
    _ = try server()
  }

  func run() async throws {
    map.start()
    reads.start()
    defer {
      map.stop()
      reads.stop()
    }
    // Whatever happens here, the pipeline goes on, and it is tried again.
    while !Task.isCancelled, !Task.isShuttingDownGracefully {
      do {
        try await server().run()
        if Task.isShuttingDownGracefully { return }
        logger.error("no longer served; trying again in 10 s")
      } catch {
        if Task.isCancelled { return }
        let failure = Self.told(error)
        logger.error(
          "not served; trying again in 10 s",
          metadata: ["error": "\(failure.summary)", "hint": "\(failure.hint ?? "")"])
      }
      try? await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(10)) }
    }
  }

  private func server() throws(Failure) -> SlotServer {
    do throws(ServeError) {
      return try SlotServer(plan, slots: slots, book: book, logger: logger)
    } catch {
      throw Self.told(error)
    }
  }

  private static func told(_ error: any Error) -> Failure {
    switch error {
    case let error as Failure: error
    case let error as ServeError:
      Failure(summary: error.description, hint: error.hint, exitCode: ExitCode.badConfiguration.rawValue)
    default:
      Failure(
        summary: "\(error)", hint: "look for what stands before this in the log",
        exitCode: ExitCode.badConfiguration.rawValue)
    }
  }
}

extension ServedSlot {
  /// The slot of a pipeline, as `status.json` has it.
  fileprivate init(
    _ pipeline: Pipeline, map: KnownMap, reads: TurnedReads, book: SubscriberBook, restore: ShellCommand?
  ) {
    self.init(
      name: pipeline.definition.slot,
      status: {
        LiveStatus(
          capture: pipeline.capture.status.current, dualWrite: pipeline.dualWrite.status.current,
          keeper: pipeline.keeper.status, subscribers: book
        ).json.compact
      },
      reads: { key throws(ReadsUnknown) in try reads.answer(key) },
      events: EventSource(
        log: LogSource(
          directory: pipeline.definition.log.directory, tail: pipeline.tail,
          restore: restore.map { LogRestore($0) }),
        definition: pipeline.definition, map: { map.current },
        fresh: { map.fresh(at: $0) }))
  }
}
