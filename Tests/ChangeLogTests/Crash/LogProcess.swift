import PGOutput
import SimulatedDisk
import Testing

@testable import ChangeLog

/// What is done to a log, one after the other.
enum LogAct: Hashable {
  /// So many whole transactions in one group; an open one is completed first.
  case transactions(Int)
  /// The first records of a transaction, or one more of them.
  case part
  case sync
  /// An idle source's keepalive.
  case mark
  /// The connection is lost.
  case discard
  case promotion
  /// The process ends without a word, and another begins.
  case restart
}

/// A process that writes what the slot sends, and starts anew when the log says that this is the end.
final class LogProcess {
  let disk: SimulatedDisk
  var timeline: UInt32
  private let segmentBytes: UInt64
  /// Whether a call that found no room is not made again at once: a keepalive is written before.
  var hesitates = false
  private var writer: ChangeLogWriter?
  /// Transactions appended whole.
  private(set) var sent = 0
  /// Records of the next transaction that were appended.
  private var begun = 0
  private var isInside: Bool { begun > 0 }
  private var told = LSN.invalid
  /// Times the log was opened.
  private(set) var starts = 0

  init(_ disk: SimulatedDisk, timeline: UInt32 = 1, segmentBytes: UInt64 = 1500) {
    self.disk = disk
    self.timeline = timeline
    self.segmentBytes = segmentBytes
  }

  var directory: String { disk.path + "/log" }

  /// Does it all, whatever fails once.
  func perform(_ acts: [LogAct]) throws {
    for act in acts {
      do { try retrying { try perform(act) } } catch let error as ChangeLogError { try restart(after: error) }
    }
    do { try retrying { try perform(.sync) } } catch let error as ChangeLogError { try restart(after: error) }
  }

  /// Opens the log: the source then sends what comes after its watermark.
  @discardableResult
  func open() throws -> ChangeLogWriter {
    writer = nil
    begun = 0
    var origin = OriginIdentity.example
    origin.timeline = timeline
    var options = ChangeLogWriter.Options(segmentBytes: segmentBytes)
    options.calls = disk.calls
    let opened = try ChangeLogWriter.open(
      directory: directory, origin: origin, start: .exampleStart, options: options)
    starts += 1
    writer = opened
    sent = SentUnits.count(upTo: opened.watermark)
    tell(opened.watermark)
    return opened
  }

  func close() { writer = nil }

  private func restart(after error: ChangeLogError) throws {
    writer = nil
    disk.revive()
    try retrying { try self.open() }
  }

  /// Makes a call again that says it may be, and one at the start, where a supervisor would.
  private func retrying(_ body: () throws -> Void) throws {
    for _ in 0..<3 {
      do {
        return try body()
      } catch let error as ChangeLogError {
        guard !disk.isDead, error.isRetriable || writer == nil else { throw error }
        if hesitates, sent > 0, writer != nil {
          try perform(.mark)
          try perform(.sync)
        }
      }
    }
    try body()
  }

  private func perform(_ act: LogAct) throws {
    guard let writer else {
      try open()
      return
    }
    switch act {
    case .transactions(let count):
      let group = try isInside ? SentUnits.split(sent, at: begun).rest : SentUnits.group(sent)
      for number in (sent + 1)..<max(sent + count, sent + 1) {
        try SentUnits.group(number).withUnsafeBytes { try group.append(records: $0) }
      }
      try writer.append(group)
      sent += count
      begun = 0
    case .part:
      let next = isInside ? begun + 1 : 2
      if next >= SentUnits.records(sent) { return }
      let more = RecordGroup()
      let first = try SentUnits.split(sent, at: next).first
      try first.withUnsafeBytes { bytes in
        let held = try SentUnits.split(sent, at: begun).first.byteCount
        try more.append(records: UnsafeRawBufferPointer(rebasing: bytes[held...]))
      }
      try writer.append(more)
      begun = next
    case .sync: tell(try writer.sync())
    case .mark: if !isInside { try writer.mark(watermark: SentUnits.idle(after: sent - 1)) }
    case .discard:
      try writer.discardPartialTransaction()
      begun = 0
    case .promotion:
      if isInside { return }
      // Known from now on, whatever comes of it.
      if timeline == writer.origin.timeline { timeline += 1 }
      try writer.advance(timeline: timeline)
      tell(writer.watermark)
    case .restart: try open()
    }
  }

  /// The source is told; it will not send that again.
  private func tell(_ watermark: LSN) {
    #expect(watermark >= told, "the watermark went back")
    #expect(SentUnits.count(upTo: watermark) <= sent, "more was confirmed than was written")
    told = watermark
    disk.claim(watermark.rawValue)
  }
}
