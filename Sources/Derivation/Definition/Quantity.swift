/// A whole number and its unit, written together: the form of sizes and durations.
enum Quantity {
  /// The value of `digits` times the scale of the unit behind them; nil when the form is another, or too large.
  static func value(of text: String, in units: [(name: String, scale: Int)]) -> Int? {
    let digits = text.utf8.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    guard !digits.isEmpty, let number = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
    let name = String(decoding: text.utf8.dropFirst(digits.count), as: UTF8.self)
    guard let unit = units.first(where: { $0.name == name }) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit.scale)
    return overflow ? nil : product
  }

  /// The value in the first (largest) unit that divides it; zero in the last.
  static func text(of value: Int, in units: [(name: String, scale: Int)]) -> String {
    for unit in units where value != 0 && value.isMultiple(of: unit.scale) {
      return "\(value / unit.scale)\(unit.name)"
    }
    return "\(value)\(units.last?.name ?? "")"
  }
}
