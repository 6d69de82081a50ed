import ArgumentParser
import PGOutput

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// `crossfade decode`: what a recording commits, a transaction a line.
struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode",
    abstract: "Prints what a recording of pgoutput commits as NDJSON, a transaction a line.",
    discussion: """
      A recording holds, for each message, its length (4 bytes, big-endian), its walStart (8 bytes), and the \
      message. A segment of the change log is one, too: lz4 -dc SEGMENT.lz4 | crossfade decode -

      What is complete before any damage is printed; damage is named by its byte and ends with exit code 65. \
      A transaction whose end is not in the recording is not printed, and named on standard error.
      """)

  enum Streaming: String, ExpressibleByArgument, CaseIterable {
    case on, parallel
  }

  @Argument(help: ArgumentHelp("The recording, or - for standard input.", valueName: "file"))
  var file: String

  @Option(
    name: .customLong("protocol"),
    help: ArgumentHelp(
      "The protocol that was spoken, 1 to 4. Without it the messages tell; with it, one that the protocol does "
        + "not have is damage.",
      valueName: "n"))
  var protocolNumber: Int?

  @Option(help: "How streaming was asked for. Without it the length of each Stream Abort tells.")
  var streaming: Streaming?

  func validate() throws {
    if let protocolNumber, ProtocolVersion(rawValue: protocolNumber) == nil {
      throw ValidationError("There is no protocol \(protocolNumber); say 1, 2, 3 or 4.")
    }
    if streaming == .parallel, let protocolNumber, protocolNumber < 4 {
      throw ValidationError("Parallel streaming needs protocol 4.")
    }
    if streaming == .on, protocolNumber == 1 {
      throw ValidationError("Streaming needs protocol 2 or later.")
    }
  }

  func run() throws {
    // A reader that goes away (`| head`) is a closed pipe to be seen by write(2), not the end of the process.
    signal(SIGPIPE, SIG_IGN)
    let input: InputFile
    do throws(SystemError) {
      input = try InputFile(file)
    } catch {
      try fail(error.description, .cannotOpenInput)
    }
    var decoder = RecordingDecoder(store: SpillingLineStore(), format: format)
    do throws(RecordingFailure<SystemError>) {
      try decode(input, with: &decoder)
    } catch {
      switch error {
      case .output(let failure) where failure.isClosedPipe: return
      case .output(let failure): try fail(failure.description, .inputOutput)
      case .recording(let damage): try fail("\(name): \(damage): \(damage.hint)", .malformedInput)
      }
    }
    note(decoder)
  }

  private var name: String { file == "-" ? "standard input" : file }

  private var format: StreamFormat {
    let version = protocolNumber.flatMap(ProtocolVersion.init(rawValue:)) ?? .v4
    let layout: StreamFormat.AbortLayout =
      switch streaming {
      case .parallel: .long
      case .on: .short
      case nil: version < .v4 ? .short : .byLength
      }
    return StreamFormat(protocolVersion: version, abortLayout: layout)
  }
}

extension DecodeCommand {
  /// Reads to the end; lines that are finished are written out before waiting for more, and before any error.
  private func decode(_ input: InputFile, with decoder: inout RecordingDecoder<SpillingLineStore>)
    throws(RecordingFailure<SystemError>)
  {
    while true {
      let piece: [UInt8]
      do throws(SystemError) {
        piece = try input.next()
      } catch {
        // Not the recording's fault: told, and coded, like any other failing read or write.
        throw .output(error)
      }
      if piece.isEmpty { return try decoder.finish() }
      let outcome: Result<Void, RecordingFailure<SystemError>>
      do throws(RecordingFailure<SystemError>) {
        try decoder.feed(piece.rawBytes)
        outcome = .success(())
      } catch {
        outcome = .failure(error)
      }
      do throws(SystemError) {
        try decoder.store.flush()
      } catch {
        throw .output(error)
      }
      try outcome.get()
    }
  }

  /// Names what the recording leaves open: not damage, but worth knowing.
  private func note(_ decoder: RecordingDecoder<SpillingLineStore>) {
    for transaction in decoder.unfinished {
      let gid = transaction.gid.map { " (gid '\($0)')" } ?? ""
      let state =
        switch transaction.state {
        case .open, .streamed: "does not end"
        case .prepared: "is prepared, and neither committed nor rolled back"
        }
      let changes = "\(transaction.changeCount) change\(transaction.changeCount == 1 ? "" : "s")"
      printError(
        "\(name): transaction \(transaction.xid)\(gid) \(state) in this recording; \(changes) not printed")
    }
    for commit in decoder.unseen {
      printError(
        "\(name): transaction \(commit.xid) (gid '\(commit.gid)') commits at \(commit.commitLSN), but was "
          + "prepared before this recording begins: its changes are not in it")
    }
  }

  private func fail(_ message: String, _ code: ExitCode) throws -> Never {
    printError(message)
    throw code
  }

  private func printError(_ message: String) {
    // With standard error closed there is nobody left to tell.
    try? writeAll(Array("crossfade: \(message)\n".utf8), to: 2, action: "write to standard error")
  }
}
