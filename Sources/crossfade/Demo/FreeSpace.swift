import ArgumentParser
import Glibc
import Operations

/// Room on the disk, asked for before it is missed.
enum FreeSpace {
  /// Throws when the directory that throw-away clusters are made in has less than `bytes` free.
  static func ensure(_ bytes: UInt64) throws(Failure) {
    let directory = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    var facts = statvfs()
    // A directory that cannot be asked is the cluster's to complain about.
    guard statvfs(directory, &facts) == 0 else { return }
    let free = UInt64(facts.f_bavail).multipliedReportingOverflow(by: UInt64(facts.f_frsize))
    guard !free.overflow, free.partialValue < bytes else { return }
    throw Failure(
      summary: "\(directory) has \(HumanFormat.bytes(free.partialValue)) free, and the demonstration needs "
        + HumanFormat.bytes(bytes),
      hint: "name a directory with more room in TMPDIR, or ask for fewer --rows",
      exitCode: ExitCode.cannotCreateOutput.rawValue)
  }
}
