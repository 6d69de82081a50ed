import Foundation
import Testing

/// What libFuzzer found worth keeping, and what once broke a rule, is run again with every test run.
///
/// One at a time: the targets share a scratch directory, as they do under libFuzzer.
@Suite("Fuzz corpora", .serialized) struct ReplayTests {
  private static let corpora = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "fixtures/fuzz")

  @Test("no input of the corpus breaks a rule", arguments: FuzzTarget.allCases)
  func replay(_ target: FuzzTarget) throws {
    let folder = Self.corpora.appending(path: target.rawValue)
    let inputs = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(inputs.count > 10)
    for input in inputs {
      let bytes = [UInt8](try Data(contentsOf: folder.appending(path: input)))
      do throws(Finding) { try target.check(bytes) } catch {
        Issue.record("fixtures/fuzz/\(target.rawValue)/\(input): \(error)")
      }
    }
  }

  @Test("nothing at all, and one byte of each value, break no rule", arguments: FuzzTarget.allCases)
  func shortest(_ target: FuzzTarget) throws {
    try target.check([])
    for byte in UInt8.min...UInt8.max { try target.check([byte]) }
  }

  @Test("every corpus belongs to a target")
  func known() throws {
    let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpora.path)
      .filter { !$0.contains(".") }
    #expect(Set(folders) == Set(FuzzTarget.allCases.map(\.rawValue)))
  }
}
