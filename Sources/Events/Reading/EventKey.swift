public import Derivation
import PGOutput

/// A row's key as one text: of one column the column's own text, of several a JSON array of their texts.
public enum EventKey {
  /// The key's text.
  public static func text(_ key: [ExactText]) -> String {
    guard key.count > 1 else { return key.first?.string ?? "" }
    var writer = JSONWriter()
    writer.beginArray()
    for column in key { writer.text(column.bytes.rawBytes) }
    writer.endArray()
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
