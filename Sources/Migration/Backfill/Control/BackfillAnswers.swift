/// What a backfill answers to what is said to it.
struct BackfillAnswers: Sendable {
  let watch: BackfillWatch

  func answer(_ line: String, by: String) -> String {
    let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map(String.init)
    let command: ControlCommand
    do {
      command = try ControlCommand(words: words)
    } catch {
      return "error: \(error)\n"
    }
    guard !command.isQuestion else {
      guard let status = watch.status else { return "starting: it has not worked yet\n" }
      let lines = BackfillLines(status: status, batch: watch.batch?.milliseconds)
      return (command == .why ? lines.why : lines.standing).joined(separator: "\n") + "\n"
    }
    watch.want(command, by: by)
    return "ok: \(command.words)\(after(command))\n"
  }

  /// What is still under way, for those who wait for a pause.
  private func after(_ command: ControlCommand) -> String {
    guard command == .pause, let batch = watch.batch else { return "" }
    return
      "; a batch is under way for \(Int(batch.milliseconds)) ms: it ends, or is cancelled after "
      + "\(Int(SignalSampler.patience / 1000)) s and done again later"
  }
}
