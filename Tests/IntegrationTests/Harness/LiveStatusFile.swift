import Foundation

/// What a running process says of itself in `status.json`, as far as the tests look.
struct LiveStatusFile: Decodable, Sendable {
  struct Part: Decodable, Sendable {
    var phase: String
    var waitingFor: String?

    enum CodingKeys: String, CodingKey {
      case phase
      case waitingFor = "waiting_for"
    }
  }

  struct Capture: Decodable, Sendable {
    var phase: String
    var received: String
    var logged: String
    var reconnects: Int
  }

  var pid: Int32
  var writtenAt: String
  var capture: Capture
  var dualWrite: Part

  enum CodingKeys: String, CodingKey {
    case pid
    case writtenAt = "written_at"
    case capture
    case dualWrite = "dual_write"
  }

  /// Reads the file of a log directory; nil when there is none yet.
  static func read(_ directory: String) -> LiveStatusFile? {
    guard let data = FileManager.default.contents(atPath: "\(directory)/status.json") else { return nil }
    return try? JSONDecoder().decode(LiveStatusFile.self, from: data)
  }
}
