/// A scenario: SQL, and beside it what the stream is expected to hold (fixtures/scenarios/README.md).
struct Scenario: Sendable {
  /// One or more statements for one session, sent as one simple query.
  struct Step: Equatable, Sendable {
    var session: String
    var sql: String
    var line: Int
    /// The error it has to fail with, or a part of it.
    var error: Expectation?
  }

  /// A line the stream is expected to hold, in which majors and modes, and by which judges.
  struct Expectation: Equatable, Sendable {
    var majors = Scenario.allMajors
    var modes = Set(StreamMode.allCases)
    var judges = Set(ScenarioRun.Judge.allCases)
    var text: String
  }

  var name: String
  /// The first line of the file: what it is about.
  var title = ""
  /// The majors it can run on.
  var majors = Scenario.allMajors
  /// The database's encoding.
  var encoding = "UTF8"
  /// What the slots are read with; nil stands for every publication there is when recording begins.
  var publications: [String]?
  /// What the stream is asked for beside the mode's own options.
  var options: [StreamOption] = []
  /// The majors that cannot stream it: there the server may end the stream with an error of its own.
  var unstreamable: ClosedRange<Int>?
  /// The majors on which each statement waits until all that came before is sent: there DDL spoils rows that are just being
  /// sent.
  var awaited: ClosedRange<Int>?
  /// Why what is captured is not yet what is expected.
  var known: String?
  /// What runs before the slots are made.
  var setup: [Step] = []
  /// What runs while the stream is captured.
  var steps: [Step] = []
  var expectations: [Expectation] = []

  static let allMajors = 13...99

  /// The lines expected from a server of this major in this mode by this judge.
  func expected(on major: Int, _ mode: StreamMode, _ judge: ScenarioRun.Judge) -> [String] {
    expectations.filter {
      $0.majors.contains(major) && $0.modes.contains(mode) && $0.judges.contains(judge)
    }.map(\.text)
  }

  /// Why it cannot run on a server of this major, or nil.
  func obstacle(on major: Int) -> String? {
    if majors.contains(major) { return nil }
    return major < majors.lowerBound
      ? "\(name) needs PostgreSQL \(majors.lowerBound); this is \(major)"
      : "\(name) is for PostgreSQL up to \(majors.upperBound); this is \(major)"
  }
}

/// An option of the stream as a scenario states it: `binary=true`.
struct StreamOption: Equatable, Sendable {
  var name: String
  var value: String
}
