/// Something that must never be so, and was: what a fuzz target is run for.
struct Finding: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// Throws unless the condition holds.
func require(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(Finding) {
  if !condition { throw Finding(otherwise()) }
}
