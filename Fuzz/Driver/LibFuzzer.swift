import Foundation

/// The value of `--NAME=VALUE` on the command line. libFuzzer leaves what begins with two dashes alone and hands it on
/// to the processes it starts.
private func option(_ name: String) -> String? {
  let head = "--\(name)="
  return CommandLine.arguments.first { $0.hasPrefix(head) }.map { String($0.dropFirst(head.count)) }
}

private let target: FuzzTarget = {
  let name = option("target") ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
    report("there is no target `\(name)`; there are \(names)")
    exit(2)
  }
  return target
}()

/// What libFuzzer calls first. With `--seeds=FOLDER` the process writes the target's seeds there and ends.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> CInt {
  guard let folder = option("seeds") else { return 0 }
  do {
    let project = URL(filePath: FileManager.default.currentDirectoryPath)
    for (number, seed) in try Seeds.of(target, project: project).enumerated() {
      try Data(seed).write(to: URL(filePath: folder).appending(path: "seed-\(number)"))
    }
    exit(0)
  } catch {
    report("no seeds: \(error)")
    exit(1)
  }
}

/// What libFuzzer calls with each input. A finding ends the process, so that libFuzzer keeps the input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = Array(UnsafeBufferPointer(start: start, count: count))
  do {
    try target.check(bytes)
  } catch {
    report("\nFINDING (\(target.rawValue)): \(error)")
    abort()
  }
  return 0
}

private func report(_ text: String) {
  let line = Array((text + "\n").utf8)
  _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
