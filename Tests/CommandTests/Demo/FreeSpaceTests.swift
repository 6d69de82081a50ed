import Operations
import Testing

@testable import crossfade

@Suite("Room on the disk") struct FreeSpaceTests {
  @Test("nothing is said while there is enough, and what to do when there is not")
  func enough() throws {
    try FreeSpace.ensure(1)
    let failure = #expect(throws: Failure.self) { try FreeSpace.ensure(.max) }
    #expect(failure?.exitCode == 73)
    #expect(failure?.summary.hasSuffix("free, and the demonstration needs 16.0 EiB") == true)
    #expect(failure?.hint == "name a directory with more room in TMPDIR, or ask for fewer --rows")
  }
}
