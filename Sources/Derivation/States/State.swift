/// One state of the new representation, and the legacy status it stands for.
public struct State: Hashable, Sendable {
  /// The new value in PostgreSQL's text form: `1`, or a UUID.
  public var id: ExactText
  /// The normalized code: `authorized`.
  public var code: ExactText
  /// The old text, byte for byte; nil is SQL NULL.
  public var status: ExactText?

  /// A state from its columns.
  public init(id: ExactText, code: ExactText, status: ExactText?) {
    self.id = id
    self.code = code
    self.status = status
  }
}

/// A row of the map table as it was found: any of its columns may be NULL.
public struct StateRow: Hashable, Sendable {
  /// The new value in PostgreSQL's text form.
  public var id: ExactText?
  /// The normalized code.
  public var code: ExactText?
  /// The old text.
  public var status: ExactText?

  /// A row from its columns.
  public init(id: ExactText?, code: ExactText?, status: ExactText?) {
    self.id = id
    self.code = code
    self.status = status
  }

  /// The row that a state makes.
  public init(_ state: State) {
    self.init(id: state.id, code: state.code, status: state.status)
  }
}
