import Glibc
import Logging
import Synchronization

/// The file with the tokens, read again when it changes. One that cannot be used any more leaves the last one in force,
/// and is logged: a slip of the pen must not lock everybody out, nor let anybody in.
final class TokenFile: Sendable {
  private struct State {
    var list: TokenList
    var stamp: FileStamp
    var fault: Fault?
  }

  /// What was wrong with the file as it is now, and when it was looked at.
  private struct Fault {
    let stamp: FileStamp?
    let text: String
    let at: ContinuousClock.Instant
  }

  /// How long a file that could not be used, and looks the same, is let be.
  private static let pause = Duration.seconds(1)

  private let path: String
  private let logger: Logger
  private let state: Mutex<State>

  init(path: String, logger: Logger) throws(ServeError) {
    self.path = path
    self.logger = logger
    let (list, stamp) = try Self.read(path)
    state = Mutex(State(list: list, stamp: stamp))
    warn(list)
  }

  /// The tokens as the file has them now.
  var current: TokenList {
    state.withLock { state in
      let stamp = FileStamp(path)
      if stamp == state.stamp {
        state.fault = nil
        return state.list
      }
      if let fault = state.fault, fault.stamp == stamp, .now - fault.at < Self.pause { return state.list }
      do throws(ServeError) {
        let (list, stamp) = try Self.read(path)
        state = State(list: list, stamp: stamp)
        logger.notice("tokens were read again", metadata: ["tokens": "\(list.tokens.count)"])
        warn(list)
      } catch {
        // Told once a change, not once a look.
        if state.fault?.stamp != stamp || state.fault?.text != error.description {
          logger.error(
            "the tokens stay as they were", metadata: ["error": "\(error)", "hint": "\(error.hint)"])
        }
        state.fault = Fault(stamp: stamp, text: error.description, at: .now)
      }
      return state.list
    }
  }

  private func warn(_ list: TokenList) {
    guard list.tokens.isEmpty else { return }
    logger.warning("there is no token: nobody is let in", metadata: ["file": "\(path)"])
  }

  private static let limit = 1 << 20

  private static func read(_ path: String) throws(ServeError) -> (TokenList, FileStamp) {
    func fault(_ reason: String) -> ServeError { .badTokens(file: path, reason: reason) }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw fault(String(cString: strerror(errno))) }
    defer { close(descriptor) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else { throw fault(String(cString: strerror(errno))) }
    guard info.st_mode & 0o007 == 0 else { throw fault("everybody on this machine may read or write it") }
    guard info.st_size <= limit else { throw fault("it is larger than 1 MiB") }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while bytes.count <= limit {
      let got = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if got < 0 {
        if errno == EINTR { continue }
        throw fault(String(cString: strerror(errno)))
      }
      if got == 0 { break }
      bytes.append(contentsOf: chunk[..<got])
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw fault("it is not UTF-8") }
    do throws(TokenList.Fault) {
      return (try TokenList(text), FileStamp(info))
    } catch {
      throw fault("line \(error.line): \(error.reason)")
    }
  }
}
