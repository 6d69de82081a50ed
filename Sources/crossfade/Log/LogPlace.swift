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
    guard FileManager.default.fileExists(atPath: path) else {
      throw Failure(
        summary: "\(path): \(String(cString: strerror(ENOENT)))",
        hint: "name a log's directory, or a slot definition",
        exitCode: ExitCode.cannotOpenInput.rawValue)
    }
    return try definition()?.log.source() ?? LogSource(directory: path)
  }

  /// The slot definition, if it is one that was named.
  func definition() throws(Failure) -> SlotDefinition? {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue
    else {
      var file = SlotFile()
      file.path = path
      return try file.load()
    }
    return nil
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
