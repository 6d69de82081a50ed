import Foundation
import Logging
import Operations
import Synchronization
import Testing

@Suite("The log handler")
struct LineLogHandlerTests {
  private static let clock: @Sendable () -> UTCInstant = { UTCInstant(seconds: 1_795_255_200) }

  @Test("writes events of its level, the nearest metadata first")
  func events() throws {
    let pipe = try CapturedPipe()
    let sink = LineSink(fileDescriptor: pipe.writeEnd)
    let provider = Logger.MetadataProvider { ["slot": "provided", "from": "provider"] }
    var logger = Logger(label: "capture") {
      LineLogHandler(
        label: $0, format: .text, level: .info, sink: sink, metadataProvider: provider, clock: Self.clock)
    }
    logger[metadataKey: "slot"] = "own"
    logger.debug("not seen")
    logger.info("seen", metadata: ["slot": "event"])
    logger.logLevel = .debug
    logger.debug("seen now")
    #expect(
      pipe.finish() == """
        2026-11-21T10:00:00.000Z info  capture: seen from=provider slot=event
        2026-11-21T10:00:00.000Z debug capture: seen now from=provider slot=own

        """)
  }

  @Test("writes an error under its own key")
  func errors() throws {
    let pipe = try CapturedPipe()
    let sink = LineSink(fileDescriptor: pipe.writeEnd)
    let logger = Logger(label: "capture") {
      LineLogHandler(label: $0, format: .json, level: .info, sink: sink, clock: Self.clock)
    }
    logger.error("stopped", error: Failure(summary: "disk full", exitCode: 74))
    #expect(
      pipe.finish()
        == #"{"ts":"2026-11-21T10:00:00.000Z","level":"error","logger":"capture","msg":"stopped","error":"disk full"}"#
        + "\n")
  }

  @Test("keeps lines of several threads whole")
  func threads() throws {
    let pipe = try CapturedPipe()
    let sink = LineSink(fileDescriptor: pipe.writeEnd)
    let writing = Mutex(4)
    for writer in 0..<4 {
      Thread.detachNewThread {
        // Lines longer than what a pipe holds: each is written in parts, between which another thread could come.
        for number in 0..<20 {
          sink.write(line: "\(writer) \(number) " + String(repeating: "x", count: 100_000))
        }
        writing.withLock { writing in
          writing -= 1
          if writing == 0 { pipe.closeWriteEnd() }
        }
      }
    }
    let lines = pipe.readAll().split(separator: "\n")
    #expect(lines.count == 80)
    for writer in 0..<4 {
      let own = lines.filter { $0.hasPrefix("\(writer) ") }
      #expect(own.enumerated().allSatisfy { $1.hasPrefix("\(writer) \($0) ") && $1.hasSuffix("x") })
      #expect(Set(own.map { $0.drop { $0 != "x" }.count }) == [100_000])
    }
  }

  @Test("a line pushes the status line down, and an equal status is not written again")
  func status() throws {
    let pipe = try CapturedPipe()
    let sink = LineSink(fileDescriptor: pipe.writeEnd)
    sink.show(status: "10%")
    sink.show(status: "10%")
    sink.write(line: "hello")
    sink.show(status: "20%")
    sink.show(status: nil)
    sink.write(line: "bye")
    #expect(pipe.finish() == "10%\r\u{1B}[Khello\n10%\r\u{1B}[K20%\r\u{1B}[Kbye\n")
  }

  @Test("a closed descriptor stops nothing")
  func closed() {
    LineSink(fileDescriptor: -1).write(line: "lost")
  }
}
