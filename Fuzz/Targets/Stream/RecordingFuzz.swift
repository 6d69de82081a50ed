import Foundation
import PGOutput

/// A recording: however it is cut into pieces it reads the same, its lines are JSON, and an error names a byte of it.
enum RecordingFuzz {
  private struct Outcome: Equatable {
    var output: [UInt8] = []
    var error: RecordingError?
    var unfinished: [UnfinishedTransaction] = []
  }

  /// The first byte chooses the format, the second the length of the pieces, the rest is the recording.
  static func check(_ bytes: [UInt8]) throws(Finding) {
    guard bytes.count > 2 else { return }
    let recording = Array(bytes.dropFirst(2))
    let format = bytes[0] & 1 == 0 ? .any : MessageFuzz.format(bytes[0]).insideStream(false)
    let whole = read(recording, format: format, piece: recording.count)
    let pieces = read(recording, format: format, piece: Int(bytes[1]) + 1)
    try require(whole == pieces, "read in pieces of \(Int(bytes[1]) + 1) it is another recording")
    if let error = whole.error {
      try require(error.byte <= UInt64(recording.count), "\(error) stands outside of the recording")
      try require(!error.description.isEmpty && !error.hint.isEmpty, "\(error.reason) says nothing")
    }
    for line in whole.output.split(separator: UInt8(ascii: "\n")) {
      let parsed = try? JSONSerialization.jsonObject(with: Data(line))
      try require(parsed is [String: Any], "no JSON: \(String(decoding: line, as: UTF8.self))")
    }
  }

  private static func read(_ recording: [UInt8], format: StreamFormat, piece: Int) -> Outcome {
    var decoder = RecordingDecoder(store: MemoryLineStore(), format: format)
    var outcome = Outcome()
    do throws(RecordingFailure<Never>) {
      var from = 0
      while from < recording.count {
        let to = min(recording.count, from + piece)
        try decoder.feed(recording.rawBytes.extracting(from..<to))
        from = to
      }
      try decoder.finish()
    } catch {
      if case .recording(let damage) = error { outcome.error = damage }
    }
    outcome.output = decoder.store.output
    outcome.unfinished = decoder.unfinished
    return outcome
  }
}
