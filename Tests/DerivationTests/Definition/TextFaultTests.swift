import Testing

@Suite("The text of a slot definition")
struct TextFaultTests {
  @Test("nothing at all is told")
  func nothingAtAllIsTold() {
    #expect(
      faults("") == """
        slot.yaml:1:1: is empty, must be a mapping
          hint: begin with `version: 1`, then `slot:`, `source:`, `derive:` and `log:`
        """)
  }

  @Test("a text that is no mapping is told")
  func aTextThatIsNoMappingIsTold() {
    #expect(
      faults("crossfade") == """
        slot.yaml:1:1: is `crossfade`, must be a mapping
          hint: begin with `version: 1`, then `slot:`, `source:`, `derive:` and `log:`
        """)
  }

  @Test("a tab is told with its place")
  func aTabIsToldWithItsPlace() {
    #expect(
      faults(definition(replacing: "  connection:", with: "\tconnection:")) == """
        slot.yaml:4:1: found character that cannot start any token (while scanning for the next token, line 4)
          hint: indent with spaces, not tabs; quote a value that begins with one of @ ` % ! & * | > [ ] { }
        """)
  }

  @Test("a colon without quotes is told with its place")
  func aColonWithoutQuotesIsToldWithItsPlace() {
    #expect(
      faults(definition(replacing: "slot: ledger_states", with: "slot: a: b")) == """
        slot.yaml:2:8: mapping values are not allowed in this context
          hint: check the indentation, and quote a value that holds `: `
        """)
  }

  @Test("an open quote is told with its place")
  func anOpenQuoteIsToldWithItsPlace() {
    #expect(
      faults(definition(replacing: "slot: ledger_states", with: "slot: \"ledger_states")) == """
        slot.yaml:2:7: the text ends while scanning a quoted scalar
          hint: close the quote or the bracket that opens here
        """)
  }

  @Test("an alias without an anchor is told with its place")
  func anAliasWithoutAnAnchorIsToldWithItsPlace() {
    #expect(
      faults(definition(replacing: "key: [id]", with: "key: *keys")) == """
        slot.yaml:7:8: found undefined alias
          hint: define the anchor (`&name`) above its first use
        """)
  }

  @Test("a second document is told")
  func aSecondDocumentIsTold() {
    #expect(
      faults(definition(adding: "---\nversion: 1")) == """
        slot.yaml:17:1: a second document begins
          hint: keep one in the file: a file a slot
        """)
  }

  @Test("a control character is told with its place")
  func aControlCharacterIsToldWithItsPlace() {
    #expect(
      faults(definition(replacing: "slot: ledger_states", with: "slot: \u{1}")) == """
        slot.yaml:2:7: control characters are not allowed
          hint: remove the character, or write it as an escape in double quotes
        """)
  }

  @Test("everything wrong is told at once, in the order of the file")
  func everythingWrongIsToldAtOnceInTheOrderOfTheFile() {
    #expect(
      faults(
        "version: 9\nslot: A\nsource: {conection: x}\nderive: {table: t, key: id, from: S, to: '', map: []}\nlog: {segment: 64M}\nconfirm: yes\nwrite: {batch: many}"
      ) == """
        slot.yaml:1:10: version: is `9`, and this build reads version 1
          hint: write `version: 1`, or use the crossfade that the file was written for
        slot.yaml:2:7: slot: is `A`, must be 1 to 63 of a-z, 0-9 and _
          hint: name it after what it derives: `crossfade_transaction_state`
        slot.yaml:3:10: source.conection: there is no such key
          hint: did you mean `connection`?
        slot.yaml:4:17: derive.table: is `t`, without its schema, must be a table with its schema
          hint: write the schema too: `public.t`
        slot.yaml:4:25: derive.key: is `id`, must be a list of columns
          hint: write them in brackets: `[id]`
        slot.yaml:4:35: derive.from: is `S`, whose capitals SQL would fold to lower case
          hint: write it in lower case, or with its capitals in double quotes: `'"S"'`
        slot.yaml:4:42: derive.to: is an empty name, must be a column
          hint: give the name
        slot.yaml:4:51: derive.map: is a list, must be a mapping
          hint: write `table:`, `id:`, `code:` and `status:` indented under it
        slot.yaml:5:1: log.directory: is missing
          hint: write `directory: /var/lib/crossfade/NAME`
        slot.yaml:5:16: log.segment: is `64M`, must be a size from 64KiB to 16GiB
          hint: did you mean `64MiB`? Sizes are powers of 1024
        slot.yaml:6:10: confirm: is `yes`, must be one of `logged`, `applied`
          hint: write one of these words
        slot.yaml:7:16: write.batch: is `many`, must be a whole number from 1 to 100000
          hint: write digits only, without quotes or unit
        """)
  }
}
