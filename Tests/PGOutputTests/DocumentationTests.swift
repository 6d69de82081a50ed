import Foundation
import PGOutput
import Testing

/// docs/decode.md shows what is really printed.
@Suite("Documentation") struct DocumentationTests {
  private let page: String

  init() throws {
    let root = Fixture.directory.deletingLastPathComponent().deletingLastPathComponent()
    page = try String(contentsOf: root.appending(path: "docs/decode.md"), encoding: .utf8)
  }

  @Test("the line of a transaction")
  func transaction() throws {
    var bytes: [UInt8] = []
    let lsn = LSN(rawValue: 0x16_B374_D848)
    let time = Timestamp(rawValue: 848_570_400_123_456)
    let begin = Begin(finalLSN: lsn, commitTime: time, xid: TransactionID(rawValue: 745))
    let commit = Commit(commitLSN: lsn, endLSN: LSN(rawValue: 0x16_B374_D878), commitTime: time)
    RecordHeader.append(encoded(.begin(begin)).rawBytes, walStart: lsn, to: &bytes)
    RecordHeader.append(encoded(.commit(commit)).rawBytes, walStart: lsn, to: &bytes)
    let line = try decode(bytes).trimmingCharacters(in: .newlines)
    #expect(page.contains(line.replacing("[]", with: "[...]")))
  }

  @Test("the line of a message that is not transactional")
  func message() throws {
    var bytes: [UInt8] = []
    let (prefix, content) = (Array("at once".utf8), Array("two\nlines".utf8))
    let message = LogicalMessage(
      isTransactional: false, lsn: LSN(rawValue: 0x16_B374_D848), prefix: prefix.rawBytes,
      content: content.rawBytes)
    RecordHeader.append(encoded(.message(message)).rawBytes, walStart: .invalid, to: &bytes)
    #expect(page.contains(try decode(bytes)))
  }

  @Test("the error of a damaged recording")
  func error() {
    let damage = RecordingError(
      byte: 1234,
      reason: .message(
        DecodeError(
          offset: 9, message: UInt8(ascii: "I"), column: 2,
          problem: .truncated(field: "length", needed: 4, left: 1))))
    #expect(page.contains("crossfade: FILE.pgo: \(damage): \(damage.hint)\n"))
  }
}
