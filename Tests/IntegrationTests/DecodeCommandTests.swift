import Foundation
import Testing

/// `crossfade decode` as a process: what it prints, where, and how it ends.
@Suite("crossfade decode") struct DecodeCommandTests {
  struct Outcome {
    var output: String
    var errors: String
    var code: Int32
  }

  private static let executable = URL(filePath: CommandLine.arguments[0])
    .deletingLastPathComponent().appending(path: "crossfade")

  private static let recordings = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "fixtures/recordings")

  /// Runs a line of bash in which `$crossfade` is the program, in the recordings' directory.
  private func bash(_ line: String) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", line]
    process.currentDirectoryURL = Self.recordings
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["crossfade": Self.executable.path]) { $1 }
    let directory = FileManager.default.temporaryDirectory.appending(path: "decode-\(UUID())")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let files = try ["out", "err"].map { name in
      let url = directory.appending(path: name)
      _ = FileManager.default.createFile(atPath: url.path, contents: nil)
      return (url, try FileHandle(forWritingTo: url))
    }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = files[0].1
    process.standardError = files[1].1
    try process.run()
    process.waitUntilExit()
    return Outcome(
      output: try String(contentsOf: files[0].0, encoding: .utf8),
      errors: try String(contentsOf: files[1].0, encoding: .utf8), code: process.terminationStatus)
  }

  private func golden(_ name: String) throws -> String {
    try String(contentsOf: Self.recordings.appending(path: name + ".ndjson"), encoding: .utf8)
  }

  @Test("prints a file, and standard input, and needs no option to know the protocol")
  func prints() throws {
    for name in ["identities", "stream-interleaved", "two-phase-stream"] {
      let file = try bash("$crossfade decode \(name).pgo")
      #expect(try file.output == golden(name))
      #expect(file.errors == "")
      #expect(file.code == 0)
      let input = try bash("cat \(name).pgo | $crossfade decode -")
      #expect(input.output == file.output)
    }
  }

  @Test("names a transaction that stays open, which is no error")
  func open() throws {
    let outcome = try bash("$crossfade decode two-phase.pgo")
    #expect(try outcome.output == golden("two-phase"))
    #expect(
      outcome.errors.replacing(/transaction \d+/, with: "transaction N") == """
        crossfade: two-phase.pgo: transaction N (gid 'third') is prepared, and neither committed nor rolled back \
        in this recording; 1 change not printed

        """)
    #expect(outcome.code == 0)
  }

  @Test("a recording cut within a record prints what was complete, names the byte and ends with 65")
  func cut() throws {
    let outcome = try bash("head -c 470 origin.pgo | $crossfade decode -")
    let lines = try golden("origin").split(separator: "\n")
    #expect(outcome.output == lines.prefix(2).map { $0 + "\n" }.joined())
    #expect(
      outcome.errors == """
        crossfade: standard input: byte 435: the file ends within a record: 23 of the message's 26 bytes are there: \
        the recording is cut short; the transactions complete before this were printed

        """)
    #expect(outcome.code == 65)
  }

  @Test("what is no recording at all is named so")
  func foreign() throws {
    let outcome = try bash("printf 'PGCOPY\\n\\377\\r\\n\\0 and so on' | $crossfade decode -")
    #expect(
      outcome.errors == """
        crossfade: standard input: byte 0: a record of 1346847567 bytes is longer than any message of PostgreSQL: \
        this is no recording, or less than its first message; a segment of the change log is read by: \
        lz4 -dc SEGMENT | crossfade decode -

        """)
    #expect(outcome.code == 65)
  }

  @Test("a file that is not there is 66, a wrong command line 64")
  func refused() throws {
    let missing = try bash("$crossfade decode missing.pgo")
    #expect(missing.errors == "crossfade: cannot open missing.pgo: No such file or directory\n")
    #expect(missing.code == 66)
    #expect(try bash("$crossfade decode --protocol 5 types.pgo").code == 64)
    #expect(try bash("$crossfade decode --protocol 3 --streaming parallel types.pgo").code == 64)
    #expect(try bash("$crossfade decode").code == 64)
  }

  @Test("the protocol said is held against the recording")
  func protocols() throws {
    #expect(try bash("$crossfade decode --protocol 3 --streaming on two-phase-stream.pgo").code == 0)
    let older = try bash("$crossfade decode --protocol 2 two-phase-stream.pgo")
    #expect(older.errors.contains("needs protocol 3, but protocol 2 was spoken"))
    #expect(older.code == 65)
    #expect(try bash("$crossfade decode --streaming parallel stream-subtransactions.pgo").code == 65)
  }

  @Test("a reader that goes away ends it quietly")
  func closedPipe() throws {
    let outcome = try bash(
      "$crossfade decode stream-interleaved.pgo | head -c 1 >/dev/null; echo ${PIPESTATUS[0]}")
    #expect(outcome.errors == "")
    #expect(outcome.output == "0\n")
  }

  @Test("a full disk behind standard output is said, and ends with 74")
  func fullDisk() throws {
    let outcome = try bash("$crossfade decode types.pgo >/dev/full")
    #expect(outcome.errors == "crossfade: cannot write to standard output: No space left on device\n")
    #expect(outcome.code == 74)
  }
}
