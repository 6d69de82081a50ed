extension ChangeLogWriter {
  /// Goes on in a new segment because the source was promoted: from here on positions are those of `timeline`.
  ///
  /// Whether they may follow those before is the caller's to know: up to the watermark both timelines must be one. What
  /// was appended is made durable first. Nothing happens when the log is on that timeline already. On `diskFull` the
  /// log is as before, and the same call can be made again.
  public func advance(timeline: UInt32) throws(ChangeLogError) {
    try checkUsable()
    guard timeline != origin.timeline else { return }
    var next = origin
    next.timeline = timeline
    try origin.admit(next)
    guard !isInsideTransaction else { throw .outOfStep(reason: "a new timeline inside a transaction") }
    try sync()
    try roll(to: next)
    publish()
  }
}
