/// Values whose text form is not obvious, by type: each has to arrive byte for byte as the server writes it.
struct TypeTexts: Sendable {
  var type: String
  /// SQL expressions.
  var values: [String]
  /// The first major that has it.
  var since = 13

  static let all: [TypeTexts] = [
    .init("bool", "true", "false"),
    .init("int2", "-32768", "32767"),
    .init("int4", "-2147483648", "2147483647"),
    .init("int8", "-9223372036854775808", "9223372036854775807"),
    .init("oid", "0", "4294967295"),
    .init(
      "float4", "'NaN'", "'infinity'", "'-infinity'", "'-0'", "1.17549435e-38", "3.4028235e38", "0.1", "1e15"),
    .init(
      "float8", "'NaN'", "'infinity'", "'-infinity'", "'-0'", "5e-324", "1.7976931348623157e308", "0.1",
      "0.1 + 0.2::float8", "123456789012345680"),
    .init("numeric", "'NaN'", "0", "1e-20", "1e30", "-0.10", "123456789012345678901234567890.0123456789"),
    .init("numeric", since: 14, "'infinity'", "'-infinity'"),
    .init("numeric(12, 2)", "99.5", "-0.005"),
    .init("numeric(3, -2)", since: 15, "12345"),
    .init("money", "'-12345678.90'", "'0'", "'92233720368547758.07'"),
    .init(
      "text", "''", "'NULL'", #"E'a\nb\tc\\d'"#, "'Zürich'", "'😀'", #"U&'Zu\0308rich'"#, "' '",
      "repeat('é', 4000)"),
    .init("varchar(5)", "'ab'", "''"),
    .init("char(5)", "'ab'", "''"),
    .init("\"char\"", "'x'", "''"),
    .init("name", "'a name'"),
    .init("bytea", #"'\x'"#, #"'\x00ff5c27'"#, "decode(repeat('00', 5000), 'hex')"),
    .init("date", "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'", "'2026-02-28'"),
    .init("time", "'24:00:00'", "'00:00:00.000001'", "'23:59:60'"),
    .init("timetz", "'23:59:59.999999-15:59'", "'24:00:00+15:59:59'", "'12:00:00+05:30'"),
    .init("timestamp", "'infinity'", "'4713-01-01 00:00:00 BC'", "'294276-12-31 23:59:59.999999'"),
    .init(
      "timestamptz", "'-infinity'", "'0044-03-15 12:00:00+00 BC'", "'2026-03-29 01:00:00+00'",
      "'1890-01-01 00:00Z'"),
    .init(
      "interval", "'0'", "'-1 years -2 mons +3 days -04:05:06.000007'", "'178000000 years'",
      "'1 mon -1 day 00:00:00.5'"),
    .init("interval", since: 17, "'infinity'", "'-infinity'"),
    .init("uuid", "'A0EEBC99-9c0b4ef8-bb6d6bb9-bd380a11'"),
    .init("json", #"'{"b": 1, "a":  [null] , "b": "\u00e9"}'"#, "'  1 '"),
    .init("jsonb", #"'{"b": 1, "a":  [null] , "b": "\u00e9"}'"#, "'1.00'", "'\"\"'"),
    .init("jsonpath", "'$.a[*] ? (@ > 1)'"),
    .init("inet", "'192.168.0.1'", "'192.168.0.1/24'", "'::ffff:1.2.3.4'", "'2001:db8::/32'"),
    .init("cidr", "'10.0.0.0/8'", "'::/0'"),
    .init("macaddr", "'08002b:010203'"),
    .init("macaddr8", "'08:00:2b:01:02:03:04:05'"),
    .init("bit(5)", "'10110'", "'00000'"),
    .init("varbit", "''", "'101'"),
    .init("point", "'(1.5,-infinity)'"),
    .init("line", "'{1,-1,0}'"),
    .init("lseg", "'[(0,0),(1,1)]'"),
    .init("box", "'(0,0),(1,1)'"),
    .init("path", "'[(0,0),(1,1)]'", "'((0,0),(1,1))'"),
    .init("polygon", "'((0,0),(1,1),(1,0))'"),
    .init("circle", "'<(0,0),0.1>'"),
    .init("tsvector", "'a:1A fat:2 ''it''''s'':3'", "''"),
    .init("tsquery", "'fat & !(rat | cat:*)'"),
    .init("pg_lsn", "'16/B374D848'", "'0/0'", "'FFFFFFFF/FFFFFFFF'"),
    .init("xid", "'4294967295'"),
    .init("xid8", "'18446744073709551615'"),
    .init("cid", "'7'"),
    .init("tid", "'(4294967295,65535)'"),
    .init("pg_snapshot", "'10:20:10,14,15'"),
    .init("regclass", "'pg_class'::regclass", "0"),
    .init("regtype", "'int4'::regtype"),
    .init("regprocedure", "'pg_catalog.lower(text)'::regprocedure"),
    .init("aclitem", "'postgres=arwdDxt/postgres'"),
    .init("int4range", "'empty'", "'(1,5]'", "'(,)'"),
    .init("numrange", "'[1.0,)'"),
    .init("tstzrange", "'[2026-01-01 00:00Z,infinity)'"),
    .init("daterange", "'(,2026-01-01]'"),
    .init("int4multirange", since: 14, "'{}'", "'{[1,3),[7,9)}'"),
    .init("int4[]", "'{}'", "'{1,NULL,-3}'", "'[0:1]={1,2}'", "'{{1,2},{3,4}}'"),
    .init("text[]", #"'{"a b","c,d","say \"hi\"","NULL",NULL,"","\\"}'"#),
    .init("timestamptz[]", "'{infinity,2026-01-01 00:00Z}'"),
    .init("bytea[]", #"ARRAY ['\x00ff'::bytea, '']"#),
    .init("mood", "'sad'", "'happy, \"very\"'"),
    .init("mood[]", #"'{sad,"happy, \"very\""}'"#),
    .init("amount", "99.5"),
    .init("card", "ROW ('VISA, \"gold\"', '4242', NULL)", "ROW ('', NULL, '{1,2}')"),
    .init("card[]", "ARRAY [ROW ('a b', '1', NULL)::card]"),
    .init("floats", "'[-0,1e300)'"),
  ]

  /// For servers that are built with it.
  static let xml = TypeTexts("xml", "'<a>&amp;é</a>'", "'text only'")

  /// What the types need that are not built in.
  static let setup = """
    CREATE TYPE mood AS ENUM ('sad', 'happy, "very"');
    CREATE DOMAIN amount AS numeric(12, 2) CHECK (VALUE > -1000000);
    CREATE TYPE card AS (brand text, last4 char(4), numbers int[]);
    CREATE TYPE floats AS RANGE (subtype = float8);
    """

  init(_ type: String, since: Int = 13, _ values: String...) {
    self.type = type
    self.values = values
    self.since = since
  }

  /// Whether LATIN1 has all the characters of a value.
  static func isLatin1(_ value: String) -> Bool {
    value.unicodeScalars.allSatisfy { $0.value <= 0xFF } && !value.contains("0308")
  }
}
