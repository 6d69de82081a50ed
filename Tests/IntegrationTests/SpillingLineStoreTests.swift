import Foundation
import PGOutput
import Testing

@testable import crossfade

@Suite("Spilling line store") struct SpillingLineStoreTests {
  @Test(
    "is the store in memory, whatever is done to it and however little it may hold",
    arguments: [0, 1, 50, 5_000])
  func equivalent(bytesInMemoryMax: Int) throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "spill-\(UUID())")
    _ = FileManager.default.createFile(atPath: url.path, contents: nil)
    defer { try? FileManager.default.removeItem(at: url) }
    let output = try FileHandle(forWritingTo: url)
    var memory = MemoryLineStore()
    var spilling = SpillingLineStore(
      bytesInMemoryMax: bytesInMemoryMax, descriptor: output.fileDescriptor)
    var state: UInt64 = 1
    func random(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % count
    }
    for step in 0..<3_000 {
      let xid = TransactionID(rawValue: UInt32(random(4)))
      #expect(spilling.length(of: xid) == memory.length(of: xid))
      switch random(12) {
      case 0:
        let length = random(memory.length(of: xid) + 1)
        memory.truncate(xid, to: length)
        try spilling.truncate(xid, to: length)
      case 1:
        memory.discard(xid)
        spilling.discard(xid)
      case 2:
        memory.write(Array("<".utf8), changesOf: xid, Array(">\n".utf8))
        try spilling.write(Array("<".utf8), changesOf: xid, Array(">\n".utf8))
      case 3:
        memory.write(Array("line \(step)\n".utf8))
        try spilling.write(Array("line \(step)\n".utf8))
      default:
        let bytes = Array("\(step):\(xid) ".utf8)
        memory.append(bytes, to: xid)
        try spilling.append(bytes, to: xid)
      }
    }
    try spilling.flush()
    #expect(try Data(contentsOf: url) == Data(memory.output))
  }
}
