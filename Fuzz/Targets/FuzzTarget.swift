// Fuzz targets: each takes any bytes and throws a `Finding`, or traps, when a rule of the house is broken.
//
// They are plain functions, compiled twice: with libFuzzer (`make fuzz`, `Driver`), which looks for bytes that break
// a rule, and in the tests (`Replay`), which run what it found worth keeping in fixtures/fuzz.

/// What is fuzzed. A case's name is the name of its corpus.
enum FuzzTarget: String, CaseIterable, Sendable {
  /// One message of pgoutput, in every format there is.
  case message
  /// A recording: records, messages, assembly and printing.
  case recording
  /// Streams that are mostly valid, assembled, against a naive model.
  case assembler
  /// Such streams, as capture frames and spools them for the log, against the assembler.
  case capture
  /// Spools on disk, through restarts and damage, against a model in memory.
  case spool
  /// A segment file of any content.
  case segment
  /// A log that was written, then damaged.
  case damage
  /// A slot definition.
  case definition
  /// Positions, durations, names, connection strings, times.
  case text

  /// Checks the rules on these bytes.
  func check(_ bytes: [UInt8]) throws(Finding) {
    switch self {
    case .message: try MessageFuzz.check(bytes)
    case .recording: try RecordingFuzz.check(bytes)
    case .assembler: try AssemblerFuzz.check(bytes)
    case .capture: try CaptureFuzz.check(bytes)
    case .spool: try SpoolFuzz.check(bytes)
    case .segment: try SegmentFuzz.check(bytes)
    case .damage: try DamageFuzz.check(bytes)
    case .definition: try DefinitionFuzz.check(bytes)
    case .text: try TextFuzz.check(bytes)
    }
  }
}
