/// A libpq connection string or URI, whose passwords show nowhere unless they are asked for by name.
///
/// Printing it, interpolating it, dumping it and describing an error that holds it all give the redacted form.
public struct ConnectionString: Hashable, Sendable {
  /// The string with everything in it: for libpq, and for nothing else.
  public let revealed: String

  /// A connection string in either of libpq's forms.
  public init(_ revealed: String) {
    self.revealed = revealed
  }
}

extension ConnectionString: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The string with every value replaced by `***` that is not known to be harmless.
  public var description: String { ConnectionRedaction.redact(revealed) }

  /// As `description`.
  public var debugDescription: String { description }

  /// A mirror without children, so that `dump` has nothing to show.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}
