extension ChildProcess {
  /// A command line whose process is killed when the thread that starts it ends, however that comes about, a SIGKILL
  /// to the whole process included (`prctl(2)`, `PR_SET_PDEATHSIG`). Start it from a thread that lives long enough.
  ///
  /// Where `setpriv` (util-linux) is missing the command line is as given.
  public static func bound(_ arguments: [String]) -> [String] {
    guard let setpriv = ExecutableSearch.find("setpriv") else { return arguments }
    return [setpriv, "--pdeathsig", "KILL", "--"] + arguments
  }
}
