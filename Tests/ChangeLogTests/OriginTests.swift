import Glibc
import PGOutput
import Testing

@testable import ChangeLog

@Suite("Origin and lock")
struct OriginTests {
  @Test(
    "a log of another source is refused with both values",
    arguments: [OriginField.systemIdentifier, .databaseOID, .slot, .timeline])
  func mismatch(field: OriginField) throws {
    let directory = try TemporaryDirectory()
    var held = OriginIdentity.example
    held.timeline = 5
    _ = try ChangeLogWriter.open(directory: directory.path, origin: held, start: .exampleStart)
    var other = held
    let values: (String, String)
    switch field {
    case .systemIdentifier:
      other.systemIdentifier = 9
      values = ("\(held.systemIdentifier)", "9")
    case .databaseOID:
      other.databaseOID = 17
      values = ("16000", "17")
    case .slot:
      other.slot = "else"
      values = ("crossfade", "else")
    case .timeline:
      other.timeline = 4
      values = ("5", "4")
    }
    let error = #expect(throws: ChangeLogError.self) {
      try ChangeLogWriter.open(directory: directory.path, origin: other, start: .exampleStart)
    }
    #expect(error == .originMismatch(field: field, held: values.0, given: values.1))
  }

  @Test(
    "a timeline that has grown starts a new segment, and the creation point stays", arguments: [true, false])
  func promotion(withChanges: Bool) throws {
    let directory = try TemporaryDirectory()
    if withChanges {
      let writer = try directory.open()
      let group = RecordGroup()
      group.addTransaction(end: 0x2000)
      try writer.append(group)
      try writer.sync()
    } else {
      _ = try directory.open()
    }
    var promoted = OriginIdentity.example
    promoted.timeline = 2
    promoted.creationPoint = LSN(rawValue: 0x7777)
    let writer = try ChangeLogWriter.open(directory: directory.path, origin: promoted, start: .exampleStart)
    #expect(writer.origin.timeline == 2)
    #expect(writer.origin.creationPoint == OriginIdentity.example.creationPoint)
    #expect(
      directory.segments
        == (withChanges ? ["0000000000001000.lz4", "0000000000002000.lz4"] : ["0000000000001000.lz4"]))
    #expect(try LogVerifier.verify(directory: directory.path).problems.isEmpty)
  }

  @Test("a directory that another process writes is refused, naming its pid")
  func lockedByAnotherProcess() throws {
    let directory = try TemporaryDirectory()
    let script = "exec 9<>\"$0/lock\"; flock -n 9 || exit 1; echo $$ >&9; exec sleep 60"
    let pid = try spawn(["/bin/sh", "-c", script, directory.path])
    defer {
      kill(pid, SIGTERM)
      waitpid(pid, nil, 0)
    }
    let deadline = ContinuousClock.now + .seconds(10)
    while (try? directory.contents("lock"))?.isEmpty ?? true, ContinuousClock.now < deadline { usleep(1000) }
    let error = #expect(throws: ChangeLogError.self) { try directory.open() }
    #expect(error == .locked(directory: directory.path, pid: pid))
  }

  @Test("two writers in one process exclude each other too, and the lock goes with its writer")
  func lockedHere() throws {
    let directory = try TemporaryDirectory()
    var first: ChangeLogWriter? = try directory.open()
    #expect(throws: ChangeLogError.locked(directory: directory.path, pid: getpid())) { try directory.open() }
    #expect(try ChangeLogWriter.inspect(directory: directory.path) != nil)
    withExtendedLifetime(first) {}
    first = nil
    _ = try directory.open()
  }
}
