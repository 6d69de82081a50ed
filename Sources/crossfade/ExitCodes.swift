import ArgumentParser

/// What the process says by its exit code. Those from 64 on are sysexits.h's.
///
/// | code | meaning |
/// |---|---|
/// | 0 | done |
/// | 1 | done, and differences were found or checks failed |
/// | 2 | an unexpected error inside Crossfade |
/// | 3 | refused: going on would not have been safe |
/// | 64 | the command line is wrong (ArgumentParser's own) |
/// | 65 | the input is malformed |
/// | 66 | the input cannot be opened |
/// | 69 | a server is not available |
/// | 73 | an output cannot be created |
/// | 74 | reading or writing failed |
/// | 75 | a temporary failure: trying again later may help |
/// | 77 | permission is missing |
/// | 78 | the configuration is wrong |
extension ExitCode {
  static let differences = ExitCode(1)
  static let unexpected = ExitCode(2)
  static let refused = ExitCode(3)
  static let malformedInput = ExitCode(65)
  static let cannotOpenInput = ExitCode(66)
  static let unavailable = ExitCode(69)
  static let cannotCreateOutput = ExitCode(73)
  static let inputOutput = ExitCode(74)
  static let temporaryFailure = ExitCode(75)
  static let noPermission = ExitCode(77)
  static let badConfiguration = ExitCode(78)
}
