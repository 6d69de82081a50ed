import PGOutput
import Postgres

/// The statement that writes the account, and its values.
enum AccountSQL {
  /// Adds to the rows of slot `$1` what is counted up to the checkpoint, which moved before in the same transaction: so each change is
  /// counted once, by the commit that passes it.
  ///
  /// The arrays are parallel: days since 2000-01-01, kinds, applications, counts, ends, commit times (microseconds since 2000-01-01),
  /// keys as JSON arrays, the ends of the stretches they belong to.
  static let add = """
    INSERT INTO crossfade.legacy AS l (slot, day, kind, application, count, last_position, last_at, last_keys)
    SELECT $1, date '2000-01-01' + u.day, u.kind, u.application, sum(u.count), max(u.position),
           timestamptz '2000-01-01 00:00:00+00' + max(u.at) * interval '1 microsecond',
           (array_agg(u.keys::jsonb ORDER BY u.through DESC))[1]
      FROM unnest($2::int[], $3::text[], $4::text[], $5::bigint[], $6::pg_lsn[], $7::bigint[], $8::text[], $9::pg_lsn[])
        AS u(day, kind, application, count, position, at, keys, through)
     WHERE u.through <= (SELECT c.end_lsn FROM crossfade.checkpoint AS c WHERE c.slot = $1)
     GROUP BY u.day, u.kind, u.application
     ORDER BY u.day, u.kind, u.application
    ON CONFLICT (slot, day, kind, application) DO UPDATE
       SET count = l.count + EXCLUDED.count, last_position = EXCLUDED.last_position, last_at = EXCLUDED.last_at,
           last_keys = CASE
             WHEN jsonb_array_length(EXCLUDED.last_keys) >= \(Account.keys) OR l.last_keys = '[]' THEN EXCLUDED.last_keys
             ELSE (SELECT coalesce(jsonb_agg(e.key ORDER BY e.n), '[]') FROM (
               SELECT a.key, a.n FROM jsonb_array_elements(EXCLUDED.last_keys || l.last_keys) WITH ORDINALITY AS a(key, n)
               ORDER BY a.n LIMIT \(Account.keys)) AS e) END
    """

  /// Its values; nil where there is nothing to count.
  static func parameters(_ slot: String, _ path: CheckpointPath) -> [Parameter]? {
    var arrays = (0..<8).map { _ in ArrayLiteral(capacity: 64) }
    var isEmpty = true
    for stretch in path.stretches {
      for (cell, tally) in stretch.account.cells {
        isEmpty = false
        arrays[0].append(Array("\(cell.day)".utf8))
        arrays[1].append(cell.kind.rawValue.utf8)
        arrays[2].append(Array(cell.application.utf8))
        arrays[3].append(Array("\(tally.count)".utf8))
        arrays[4].append(Array("\(tally.position)".utf8))
        arrays[5].append(Array("\(tally.at.rawValue)".utf8))
        arrays[6].append(json(tally.keys))
        arrays[7].append(Array("\(stretch.end)".utf8))
      }
    }
    return isEmpty ? nil : [.text(slot)] + arrays.map { .terminatedText($0.finish()) }
  }

  private static func json(_ keys: [KeyBytes]) -> [UInt8] {
    var text = [UInt8(ascii: "[")]
    for (index, key) in keys.enumerated() {
      if index > 0 { text.append(UInt8(ascii: ",")) }
      text += BatchParameters.json(key)
    }
    return text + [UInt8(ascii: "]")]
  }
}
