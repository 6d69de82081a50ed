import ArgumentParser
import ChangeLog
import Foundation
import Operations
import PGOutput

/// `crossfade log export`: a range of the log as one file.
struct LogExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes a range of the log as one .lz4 file that stands alone.",
    discussion: """
      lz4 -dc FILE | crossfade decode - prints it. It is a segment: alone in a directory, under the name that is told, \
      it is a log. Nothing is written over: FILE must not be there.
      """)

  @OptionGroup var log: LogPlace
  @OptionGroup var range: LogRange
  @OptionGroup var archive: RestoreOptions
  @Argument(help: ArgumentHelp("The file to write.", valueName: "file")) var file: String

  func run() async throws {
    try await atTheEdge {
      let source = try archive.reading(log.load())
      guard !FileManager.default.fileExists(atPath: file) else {
        throw Failure(
          summary: "\(file) is there already", hint: "name another file, or remove it",
          exitCode: ExitCode.cannotCreateOutput.rawValue)
      }
      try Self.refuseWithoutDirectory(file)
      // Made beside its place, so that what bears the name is whole.
      let making = "\(file).making-\(getpid())"
      defer { try? FileManager.default.removeItem(atPath: making) }
      let export = try reading { () throws(ChangeLogError) in
        try source.export(after: range.after, through: range.to, into: making)
      }
      guard link(export.path, file) == 0 else {
        throw Failure(
          summary: "\(file) cannot be made: \(String(cString: strerror(errno)))",
          exitCode: ExitCode.cannotCreateOutput.rawValue)
      }
      try Self.syncDirectory(of: file)
      let name = export.path.split(separator: "/").last ?? ""
      print(
        """
        \(file): \(HumanFormat.count(export.transactions)) transactions, \(HumanFormat.count(export.changes)) \
        changes, up to \(export.end); as a log: \(name)
        """)
      range.note(endOf: source)
    }
  }

  /// The directory that a file's name stands in.
  private static func directory(of file: String) -> String {
    guard let slash = file.lastIndex(of: "/") else { return "." }
    return String(file[...slash])
  }

  private static func refuseWithoutDirectory(_ file: String) throws(Failure) {
    let directory = directory(of: file)
    guard access(directory, W_OK | X_OK) != 0 else { return }
    throw Failure(
      summary: "\(file) cannot be made: \(directory): \(String(cString: strerror(errno)))",
      hint: "make the directory first, or name a file elsewhere",
      exitCode: ExitCode.cannotCreateOutput.rawValue)
  }

  /// Makes the file's name durable.
  private static func syncDirectory(of file: String) throws(Failure) {
    let path = directory(of: file)
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    defer { if descriptor >= 0 { close(descriptor) } }
    guard descriptor >= 0, fsync(descriptor) == 0 else {
      throw Failure(
        summary:
          "\(file) is written, but its name could not be made durable: \(String(cString: strerror(errno)))",
        exitCode: ExitCode.inputOutput.rawValue)
    }
  }
}
