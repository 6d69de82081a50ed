public import Derivation
import Postgres

/// How a transaction of ours tells what it corrects: a logical message for each row, in the transaction that writes it, so that
/// it is neither lost nor told twice, and gone when that is rolled back. Capture keeps these of all that we write.
public enum CorrectionSQL {
  /// Whether the server sends such messages to those who read its slots: from 14 on.
  public static func isHeard(major: Int) -> Bool { major >= 14 }

  /// An SQL expression that counts rows, and tells of each for which `condition` holds.
  ///
  /// - Parameters:
  ///   - members: what is told, as SQL expressions: a JSON object's members by their names.
  ///   - isHeard: whether anybody would hear it; else they are only counted.
  public static func count(
    where condition: String? = nil, _ members: [(name: String, value: String)], isHeard: Bool
  ) -> String {
    guard isHeard else { return condition.map { "count(*) FILTER (WHERE \($0))" } ?? "count(*)" }
    let object = members.map { "\(SQLText.literal($0.name)), \($0.value)" }.joined(separator: ", ")
    // The message's bytes go as they are, whatever encoding the reader asks for: so they are UTF-8, unless nobody knows what they are.
    let emit = """
      pg_logical_emit_message(true, \(SQLText.literal(OwnMarks.correction)), convert_to(json_build_object(\(object))::text, \
      (CASE getdatabaseencoding() WHEN 'SQL_ASCII' THEN 'SQL_ASCII' ELSE 'UTF8' END)::name))
      """
    return condition.map { "count(CASE WHEN \($0) THEN \(emit) END)" } ?? "count(\(emit))"
  }

  /// An SQL expression: the code of a state, by the map as it stands, so that who reads the message need not know the map.
  ///
  /// - Parameter id: the state's id, as an SQL expression.
  public static func code(of id: String, _ map: SlotDefinition.Map) -> String {
    "(SELECT m.\(map.code.quoted)::text FROM \(map.table.quoted) AS m WHERE m.\(map.id.quoted) = \(id) LIMIT 1)"
  }
}
