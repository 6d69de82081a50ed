/// Bytes that are not the message they claim to be.
public struct DecodeError: Error, Hashable, Sendable {
  /// What is wrong.
  public enum Problem: Hashable, Sendable {
    /// The payload has no byte at all.
    case empty
    /// The first byte names no message of pgoutput.
    case unknownMessage
    /// The message belongs to a younger protocol than the one that was spoken.
    case notSpoken(needs: ProtocolVersion, spoken: ProtocolVersion)
    /// A field goes past the end of the payload.
    case truncated(field: String, needed: Int, left: Int)
    /// A string has no terminating NUL.
    case unterminated(field: String)
    /// A string is not UTF-8.
    case notUTF8(field: String)
    /// A number that must not be negative is.
    case negative(field: String, value: Int)
    /// A byte that must be one of a few is another.
    case unexpected(field: String, byte: UInt8, allowed: String)
    /// The message is complete, and more bytes follow.
    case trailing(count: Int)
  }

  /// The byte of the payload at which it shows; the message's first byte is 0.
  public var offset: Int
  /// The message's first byte; 0 when there is none.
  public var message: UInt8
  /// The tuple's column, from 0, where it is in one.
  public var column: Int?
  /// What is wrong.
  public var problem: Problem

  /// An error from its parts.
  public init(offset: Int, message: UInt8, column: Int? = nil, problem: Problem) {
    self.offset = offset
    self.message = message
    self.column = column
    self.problem = problem
  }

  /// The same error, in a column.
  func inColumn(_ column: Int) -> DecodeError {
    var error = self
    error.column = column
    return error
  }
}

extension DecodeError: CustomStringConvertible {
  /// One sentence: `Insert ('I'), byte 9, column 2: length needs 4 bytes, 1 left`.
  public var description: String {
    let place = column.map { ", column \($0)" } ?? ""
    return "\(MessageTag.title(of: message)), byte \(offset)\(place): \(problem)"
  }
}

extension DecodeError.Problem: CustomStringConvertible {
  /// The problem without its place.
  public var description: String {
    switch self {
    case .empty: "the message is empty"
    case .unknownMessage: "no such message"
    case .notSpoken(let needs, let spoken):
      "needs protocol \(needs.rawValue), but protocol \(spoken.rawValue) was spoken"
    case .truncated(let field, let needed, let left):
      "\(field) needs \(needed) \(needed == 1 ? "byte" : "bytes"), \(left) left"
    case .unterminated(let field): "\(field) has no end"
    case .notUTF8(let field): "\(field) is not UTF-8"
    case .negative(let field, let value): "\(field) is \(value)"
    case .unexpected(let field, let byte, let allowed):
      "\(field) is \(MessageTag.printable(byte)), not one of \(allowed)"
    case .trailing(let count): "\(count) \(count == 1 ? "byte" : "bytes") too many"
    }
  }
}
