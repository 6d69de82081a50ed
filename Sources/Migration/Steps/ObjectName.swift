import Derivation

/// Names of what we make: an index, a constraint, a trigger. The same for the same table and column, whenever asked.
enum ObjectName {
  /// `table_column_suffix`, as PostgreSQL itself would name it. What is too long is cut, and told apart by a checksum of the
  /// whole: PostgreSQL would cut it without a word, and two partitions could share one.
  static func make(_ table: Identifier, _ column: Identifier, _ suffix: String) -> String {
    make("\(table.name)_\(column.name)", suffix)
  }

  /// `name_suffix`.
  static func make(_ name: Identifier, _ suffix: String) -> String { make(name.name, suffix) }

  private static func make(_ name: String, _ suffix: String) -> String {
    let whole = "\(name)_\(suffix)"
    guard whole.utf8.count > Identifier.maximumBytes else { return whole }
    let mark = "_\(checksum(whole))_\(suffix)"
    var kept = ""
    for scalar in whole.unicodeScalars {
      guard kept.utf8.count + scalar.utf8Length + mark.utf8.count <= Identifier.maximumBytes else { break }
      kept.unicodeScalars.append(scalar)
    }
    return kept + mark
  }

  /// FNV-1a, 32 bits, in hex: not secret, only different.
  private static func checksum(_ text: String) -> String {
    let hash = text.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}

extension Unicode.Scalar {
  fileprivate var utf8Length: Int { String(self).utf8.count }
}
