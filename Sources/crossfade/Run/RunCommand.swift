import ArgumentParser
import Derivation
import Glibc
import Logging
import Operations
import ServiceLifecycle
import Subscriptions
import UnixSignals

/// `crossfade run`: slot -> log -> target, until told to stop.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Reads the slot, keeps the change log and writes the derived column, until told to stop.",
    discussion: """
      Makes publication and slot when they are missing, after checking the table's replica identity. Goes on where \
      it was: the position is in the log and in the target's checkpoint, never in memory alone.

      SIGINT or SIGTERM stops in order: what was received is logged, confirmed and applied. A second one stops at \
      once; so does SIGKILL, at any moment, without loss.
      """)

  @OptionGroup var slot: SlotFile
  @OptionGroup var logging: LoggingOptions

  func run() async throws {
    try await atTheEdge {
      let definition = try slot.load()
      // A limit on the size of files is the failure of a write, to be told, and not the end of the process.
      signal(SIGXFSZ, SIG_IGN)
      let logger = logging.logger("run")
      let pipeline = try Pipeline(definition, logger: logging.logger)
      let book = definition.serve.map { _ in SubscriberBook() }
      let reporter = StatusReporter(
        pipeline: pipeline, subscribers: book, logger: logging.logger("status"))
      HastyStop.install()
      let service = PipelineService(pipeline: pipeline, reporter: reporter)
      // Also when it fails the others end in order: cancelled, the server would call its own end an error.
      var services: [ServiceGroupConfiguration.ServiceConfiguration] = [
        .init(
          service: service, successTerminationBehavior: .gracefullyShutdownGroup,
          failureTerminationBehavior: .gracefullyShutdownGroup)
      ]
      if let serve = definition.serve, let book {
        let server = try ServingService(serve, pipeline: pipeline, book: book, logger: logging.logger("http"))
        // It tries again by itself; its end is never that of capture.
        services.append(
          .init(
            service: server, successTerminationBehavior: .ignore, failureTerminationBehavior: .ignore))
      }
      let group = ServiceGroup(
        configuration: .init(
          services: services,
          gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
      try await group.run()
    }
  }
}

/// The pipeline as a service: a graceful shutdown stops it in order, and so does whatever else ends the group.
private struct PipelineService: Service {
  let pipeline: Pipeline
  let reporter: StatusReporter

  func run() async throws {
    reporter.start()
    do {
      try await OrderlyWork {
        try await pipeline.run()
      } stop: {
        pipeline.stop()
      }.run()
    } catch {
      await reporter.stop(error)
      throw error
    }
    await reporter.stop()
  }
}
