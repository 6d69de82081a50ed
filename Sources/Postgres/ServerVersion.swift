/// A server's version as `PQserverVersion` gives it: 150018 is 15.18.
public struct ServerVersion: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The number.
  public let number: Int

  /// A version from its number.
  public init(number: Int) { self.number = number }

  /// 13, 14, ...
  public var major: Int { number / 10_000 }

  /// The oldest major that is supported.
  public static let oldestSupported = 13

  /// As the server's release notes write it: `15.18`.
  public var description: String { "\(number / 10_000).\(number % 10_000)" }

  /// Order of releases.
  public static func < (a: ServerVersion, b: ServerVersion) -> Bool { a.number < b.number }
}
