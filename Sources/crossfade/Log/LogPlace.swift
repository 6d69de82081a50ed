import ArgumentParser
import ChangeLog
import Derivation
import Foundation
import Operations

/// Where a log is: its directory, or the slot definition that names it.
struct LogPlace: ParsableArguments {
  @Argument(help: ArgumentHelp("The log's directory, or the slot definition.", valueName: "directory"))
  var path: String

  /// The log.
  func load() throws(Failure) -> LogSource {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw Failure(
        summary: "\(path): \(String(cString: strerror(ENOENT)))",
        hint: "name a log's directory, or a slot definition",
        exitCode: ExitCode.cannotOpenInput.rawValue)
    }
    if isDirectory.boolValue { return LogSource(directory: path) }
    var file = SlotFile()
    file.path = path
    return LogSource(directory: try file.load().log.directory)
  }
}

/// Does what reads a log; what is wrong with it becomes a failure.
func reading<R>(_ body: () throws(ChangeLogError) -> R) throws(Failure) -> R {
  do throws(ChangeLogError) {
    return try body()
  } catch {
    throw Failure(error)
  }
}
