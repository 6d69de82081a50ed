import ArgumentParser
import Derivation
import Foundation
import Operations

/// The slot definition that most commands are about.
struct SlotFile: ParsableArguments {
  @Argument(help: ArgumentHelp("The slot definition.", valueName: "slot.yaml"))
  var path: String

  /// Reads and checks the file against the environment.
  func load() throws(Failure) -> SlotDefinition {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw Failure(
        summary: "\(path) cannot be read: \(Self.reason(path))",
        hint: "name a slot definition, such as slots/transaction-state.yaml",
        exitCode: ExitCode.cannotOpenInput.rawValue)
    }
    do {
      return try SlotDefinition.parse(
        yaml: text, file: path, environment: ProcessInfo.processInfo.environment)
    } catch {
      throw Failure(summary: "\(error)", exitCode: ExitCode.badConfiguration.rawValue)
    }
  }

  private static func reason(_ path: String) -> String {
    access(path, R_OK) == 0 ? "it is not a UTF-8 text" : String(cString: strerror(errno))
  }
}
