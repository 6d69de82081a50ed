import ArgumentParser
import ChangeLog
import Derivation
import Foundation
import Operations
import PGOutput
import Postgres
import Replay

/// `--from`: a position, or `earliest`.
struct ReplayStart: ExpressibleByArgument {
  let text: String
  /// What to go on after; nil for the log's beginning.
  let after: Position?

  init?(argument: String) {
    text = argument
    if argument == "earliest" {
      after = nil
      return
    }
    let parts = argument.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let lsn = LSN(String(first)) else { return nil }
    guard parts.count == 2 else {
      after = Position(endLSN: lsn)
      return
    }
    guard let ordinal = UInt64(parts[1]), lsn.isValid else { return nil }
    after = Position(endLSN: lsn, ordinal: ordinal)
  }
}

/// `--to`: a position, or a time.
struct ReplayEnd: ExpressibleByArgument {
  let text: String
  let end: ReplayRange.End

  init?(argument: String) {
    text = argument
    if let lsn = LSN(argument) {
      end = .position(lsn)
    } else if let time = Timestamp(iso8601: argument) {
      end = .time(time)
    } else {
      return nil
    }
  }
}

/// The rows that `--key` names: of a key of one column its text, of several a JSON array of their texts.
enum ReplayKeys {
  static func parse(_ texts: [String], of columns: [Identifier]) throws(Failure) -> Set<RowKey>? {
    guard !texts.isEmpty else { return nil }
    var keys: Set<RowKey> = []
    for text in texts {
      guard columns.count > 1 else {
        keys.insert(RowKey([ExactText(text)]))
        continue
      }
      guard let values = try? JSONDecoder().decode([String].self, from: Data(text.utf8)),
        values.count == columns.count
      else {
        let names = columns.map(\.name).joined(separator: ", ")
        throw Failure(
          summary: "--key \(text) is no key of (\(names))",
          hint: "write a JSON array of \(columns.count) texts: --key '["
            + columns.map { "\"\($0.name)\"" }.joined(separator: ", ") + "]'",
          exitCode: 64)
      }
      keys.insert(RowKey(values.map { ExactText($0) }))
    }
    return keys
  }
}

/// `--map`: a file of states.
enum ReplayMapFile {
  static func load(_ path: String) throws(Failure) -> [State] {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      let reason = access(path, R_OK) == 0 ? "it is not a UTF-8 text" : String(cString: strerror(errno))
      throw Failure(
        summary: "\(path) cannot be read: \(reason)",
        hint: "name a file that lists `states:` as derive.map.states does",
        exitCode: ExitCode.cannotOpenInput.rawValue)
    }
    do {
      return try StateMap.parse(yaml: text, file: path)
    } catch {
      throw Failure(summary: "\(error)", exitCode: ExitCode.badConfiguration.rawValue)
    }
  }
}

extension Failure {
  /// A failure of a replay.
  init(_ error: ReplayError) {
    switch error {
    case .log(let cause):
      self.init(cause)
      hint = error.hint ?? hint
    case .postgres(.interrupted(let purpose)):
      self.init(
        summary: "stopped while trying to \(purpose)", hint: "run the same command again", isRetriable: true,
        exitCode: ExitCode.temporaryFailure.rawValue)
    case .postgres(let cause):
      self.init(cause)
      if exitCode == ExitCode.noPermission.rawValue, case .server(let said) = cause,
        said.sqlState == .insufficientPrivilege
      {
        hint =
          "`crossfade check SLOT` lists the grants needed; --apply needs beside them SELECT, INSERT and UPDATE on "
          + "crossfade.replay or, before there is one, CREATE on schema crossfade"
      }
    case .unfit:
      self.init(
        summary: error.description, hint: error.hint, exitCode: ExitCode.malformedInput.rawValue)
    case .refused:
      self.init(summary: error.description, hint: error.hint, exitCode: ExitCode.refused.rawValue)
    case .stopped:
      self.init(
        summary: error.description, hint: "run the same command again; --apply goes on there",
        isRetriable: true,
        exitCode: ExitCode.temporaryFailure.rawValue)
    }
  }
}
