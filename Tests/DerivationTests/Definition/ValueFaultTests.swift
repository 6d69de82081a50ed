import Testing

@Suite("Values in a slot definition")
struct ValueFaultTests {
  @Test("another version is refused")
  func anotherVersionIsRefused() {
    #expect(
      faults(definition(replacing: "version: 1", with: "version: 2")) == """
        slot.yaml:1:10: version: is `2`, and this build reads version 1
          hint: write `version: 1`, or use the crossfade that the file was written for
        """)
  }

  @Test("a version in quotes is refused")
  func aVersionInQuotesIsRefused() {
    #expect(
      faults(definition(replacing: "version: 1", with: "version: \"1\"")) == """
        slot.yaml:1:10: version: is `1` in quotes, and this build reads version 1
          hint: write `version: 1`, or use the crossfade that the file was written for
        """)
  }

  @Test("a slot name keeps to PostgreSQL's rule")
  func aSlotNameKeepsToPostgreSQLSRule() {
    #expect(
      faults(definition(replacing: "slot: ledger_states", with: "slot: Ledger-States")) == """
        slot.yaml:2:7: slot: is `Ledger-States`, must be 1 to 63 of a-z, 0-9 and _
          hint: name it after what it derives: `crossfade_transaction_state`
        """)
  }

  @Test("a slot name that is a list is refused")
  func aSlotNameThatIsAListIsRefused() {
    #expect(
      faults(definition(replacing: "slot: ledger_states", with: "slot: [a]")) == """
        slot.yaml:2:7: slot: is a list, must be 1 to 63 of a-z, 0-9 and _
          hint: name it after what it derives: `crossfade_transaction_state`
        """)
  }

  @Test("a section that is a word is refused")
  func aSectionThatIsAWordIsRefused() {
    #expect(
      faults(definition(replacing: "log:\n  directory: /var/lib/crossfade", with: "log: /var/lib/crossfade"))
        == """
        slot.yaml:15:6: log: is `/var/lib/crossfade`, must be a mapping
          hint: write `directory: PATH` indented under it
        """)
  }

  @Test("a table without a schema is refused")
  func aTableWithoutASchemaIsRefused() {
    #expect(
      faults(definition(replacing: "table: public.transactions\n", with: "table: transactions\n")) == """
        slot.yaml:6:10: derive.table: is `transactions`, without its schema, must be a table with its schema
          hint: write the schema too: `public.transactions`
        """)
  }

  @Test("a table with too many parts is refused")
  func aTableWithTooManyPartsIsRefused() {
    #expect(
      faults(
        definition(replacing: "table: public.transactions\n", with: "table: ledger.public.transactions\n"))
          == """
          slot.yaml:6:10: derive.table: is `ledger.public.transactions`, 3 names joined by dots, must be a table with its schema
            hint: write schema and table only
          """)
  }

  @Test("capitals without quotes are refused, since SQL would fold them")
  func capitalsWithoutQuotesAreRefusedSinceSQLWouldFoldThem() {
    #expect(
      faults(definition(replacing: "table: public.transactions\n", with: "table: public.Transactions\n"))
        == """
        slot.yaml:6:10: derive.table: is `public.Transactions`, whose capitals SQL would fold to lower case
          hint: write it in lower case, or with its capitals in double quotes: `'public."Transactions"'`
        """)
  }

  @Test("a name that needs quotes is refused without them")
  func aNameThatNeedsQuotesIsRefusedWithoutThem() {
    #expect(
      faults(definition(replacing: "from: status", with: "from: legacy status")) == """
        slot.yaml:8:9: derive.from: is `legacy status`, and ` ` needs double quotes
          hint: put the name in double quotes, and those in single ones for YAML: '"Name"'
        """)
  }

  @Test("an open double quote is refused")
  func anOpenDoubleQuoteIsRefused() {
    #expect(
      faults(definition(replacing: "from: status", with: "from: '\"status'")) == """
        slot.yaml:8:9: derive.from: is `"status`, whose double quote is not closed
          hint: close it; write `""` for one inside
        """)
  }

  @Test("text behind a closing double quote is refused")
  func textBehindAClosingDoubleQuoteIsRefused() {
    #expect(
      faults(definition(replacing: "from: status", with: "from: '\"status\"x'")) == """
        slot.yaml:8:9: derive.from: is `"status"x`, with `x` behind a closing double quote
          hint: put a dot between schema and table, and nothing behind the name
        """)
  }

  @Test("an empty name is refused")
  func anEmptyNameIsRefused() {
    #expect(
      faults(definition(replacing: "from: status", with: "from: ''")) == """
        slot.yaml:8:9: derive.from: is an empty name, must be a column
          hint: give the name
        """)
  }

  @Test("a name that PostgreSQL would cut is refused")
  func aNameThatPostgreSQLWouldCutIsRefused() {
    #expect(
      faults(
        definition(
          replacing: "from: status",
          with: "from: ssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss")) == """
          slot.yaml:8:9: derive.from: is a name of 64 bytes, and PostgreSQL would cut it at 63
            hint: give the name as the catalog holds it (`\\d` in psql shows it)
          """)
  }

  @Test("a NUL in a name is refused")
  func aNULInANameIsRefused() {
    #expect(
      faults(definition(replacing: "from: status", with: "from: \"a\\0b\"")) == """
        slot.yaml:8:9: derive.from: is `a\\u{0}b`, and a name cannot hold NUL
          hint: remove the NUL
        """)
  }

  @Test("a dotted column is refused")
  func aDottedColumnIsRefused() {
    #expect(
      faults(definition(replacing: "from: status", with: "from: transactions.status")) == """
        slot.yaml:8:9: derive.from: is `transactions.status`, 2 names joined by dots, must be a column
          hint: write the name alone
        """)
  }

  @Test("a key that is no list is refused")
  func aKeyThatIsNoListIsRefused() {
    #expect(
      faults(definition(replacing: "key: [id]", with: "key: id")) == """
        slot.yaml:7:8: derive.key: is `id`, must be a list of columns
          hint: write them in brackets: `[id]`
        """)
  }

  @Test("an empty key is refused")
  func anEmptyKeyIsRefused() {
    #expect(
      faults(definition(replacing: "key: [id]", with: "key: []")) == """
        slot.yaml:7:8: derive.key: is an empty list, must be a list of columns
          hint: write them in brackets: `[id]`
        """)
  }

  @Test("a key column given twice is refused")
  func aKeyColumnGivenTwiceIsRefused() {
    #expect(
      faults(definition(replacing: "key: [id]", with: "key: [id, region, id]")) == """
        slot.yaml:7:21: derive.key[2]: is `id`, which the list already holds
          hint: keep one of them
        """)
  }

  @Test("a key with the new column is refused")
  func aKeyWithTheNewColumnIsRefused() {
    #expect(
      faults(definition(replacing: "key: [id]", with: "key: [id, state_id]")) == """
        slot.yaml:7:8: derive.key: holds `state_id`, which this slot writes
          hint: name the columns that never change, as the primary key
        """)
  }

  @Test("the same column for old and new is refused")
  func theSameColumnForOldAndNewIsRefused() {
    #expect(
      faults(definition(replacing: "to: state_id", with: "to: status")) == """
        slot.yaml:9:7: derive.to: is `status`, the same column as `from`
          hint: name the new column
        """)
  }

  @Test("the same column twice in the map is refused")
  func theSameColumnTwiceInTheMapIsRefused() {
    #expect(
      faults(definition(replacing: "    status: legacy_status", with: "    status: code")) == """
        slot.yaml:14:13: derive.map.status: is `code`, the same column as `code`
          hint: name a column of its own
        """)
  }

  @Test("a map that is the ledger itself is refused")
  func aMapThatIsTheLedgerItselfIsRefused() {
    #expect(
      faults(
        definition(replacing: "    table: public.transaction_state", with: "    table: public.transactions"))
          == """
          slot.yaml:11:12: derive.map.table: is `public.transactions`, the ledger's own table
            hint: name the table that lists the states
          """)
  }

  @Test("an unknown layout is refused")
  func anUnknownLayoutIsRefused() {
    #expect(
      faults(definition(replacing: "  from: status", with: "  from: status\n  layout: table")) == """
        slot.yaml:9:11: derive.layout: is `table`, must be `in-place`
          hint: write `in-place`, or remove the key
        """)
  }

  @Test("a misspelt word is answered with the one it may be")
  func aMisspeltWordIsAnsweredWithTheOneItMayBe() {
    #expect(
      faults(definition(adding: "confirm: loged")) == """
        slot.yaml:17:10: confirm: is `loged`, must be one of `logged`, `applied`
          hint: did you mean `logged`?
        """)
  }

  @Test("a truth word is answered with the one that was meant")
  func aTruthWordIsAnsweredWithTheOneThatWasMeant() {
    #expect(
      faults(definition(adding: "write:\n  synchronous_commit: false")) == """
        slot.yaml:18:23: write.synchronous_commit: is `false`, must be one of `off`, `local`, `on`, `remote_write`, `remote_apply`
          hint: did you mean `off`?
        """)
  }

  @Test("a number with a unit or in quotes is refused")
  func aNumberWithAUnitOrInQuotesIsRefused() {
    #expect(
      faults(definition(adding: "write:\n  batch: 5k\nbackfill:\n  batch: \"5000\"")) == """
        slot.yaml:18:10: write.batch: is `5k`, must be a whole number from 1 to 100000
          hint: write digits only, without quotes or unit
        slot.yaml:20:10: backfill.batch: is `5000` in quotes, must be a whole number from 1 to 100000
          hint: write digits only, without quotes or unit
        """)
  }

  @Test("a number out of its range is refused")
  func aNumberOutOfItsRangeIsRefused() {
    #expect(
      faults(definition(adding: "write:\n  batch: 0\nbackfill:\n  batch: 100001")) == """
        slot.yaml:18:10: write.batch: is `0`, must be a whole number from 1 to 100000
          hint: choose a number in that range
        slot.yaml:20:10: backfill.batch: is `100001`, must be a whole number from 1 to 100000
          hint: choose a number in that range
        """)
  }

  @Test("a number beyond every range is refused")
  func aNumberBeyondEveryRangeIsRefused() {
    #expect(
      faults(definition(adding: "write:\n  batch: 99999999999999999999")) == """
        slot.yaml:18:10: write.batch: is `99999999999999999999`, must be a whole number from 1 to 100000
          hint: choose a number in that range
        """)
  }

  @Test("a size without a binary unit is refused")
  func aSizeWithoutABinaryUnitIsRefused() {
    #expect(
      faults(definition(replacing: "  directory:", with: "  segment: 64MB\n  directory:")) == """
        slot.yaml:16:12: log.segment: is `64MB`, must be a size from 64KiB to 16GiB
          hint: did you mean `64MiB`? Sizes are powers of 1024
        """)
  }

  @Test("a size without any unit is refused")
  func aSizeWithoutAnyUnitIsRefused() {
    #expect(
      faults(definition(replacing: "  directory:", with: "  segment: 67108864\n  directory:")) == """
        slot.yaml:16:12: log.segment: is `67108864`, must be a size from 64KiB to 16GiB
          hint: write digits and one of B, KiB, MiB, GiB: `64MiB`
        """)
  }

  @Test("a size out of its range is refused")
  func aSizeOutOfItsRangeIsRefused() {
    #expect(
      faults(definition(replacing: "  directory:", with: "  segment: 1KiB\n  directory:")) == """
        slot.yaml:16:12: log.segment: is `1KiB`, must be a size from 64KiB to 16GiB
          hint: choose a value in that range
        """)
  }

  @Test("a duration without its unit is refused")
  func aDurationWithoutItsUnitIsRefused() {
    #expect(
      faults(definition(adding: "write:\n  lock_timeout: 2000")) == """
        slot.yaml:18:17: write.lock_timeout: is `2000`, must be a duration from 1ms to 1h
          hint: write digits and one of ms, s, m, h: `500ms`, `2s`
        """)
  }

  @Test("a timeout of zero is refused, since PostgreSQL takes it for none")
  func aTimeoutOfZeroIsRefusedSincePostgreSQLTakesItForNone() {
    #expect(
      faults(definition(adding: "write:\n  lock_timeout: 0s\n  statement_timeout: 10000h")) == """
        slot.yaml:18:17: write.lock_timeout: is `0s`, must be a duration from 1ms to 1h
          hint: choose a value in that range
        slot.yaml:19:22: write.statement_timeout: is `10000h`, must be a duration from 1ms to 24h
          hint: choose a value in that range
        """)
  }

  @Test("a duration that overflows is refused")
  func aDurationThatOverflowsIsRefused() {
    #expect(
      faults(definition(adding: "backfill:\n  pause: 9223372036854775807h")) == """
        slot.yaml:18:10: backfill.pause: is `9223372036854775807h`, must be a duration from 0ms to 1h
          hint: write digits and one of ms, s, m, h: `500ms`, `2s`
        """)
  }

  @Test("a YAML tag is refused")
  func aYAMLTagIsRefused() {
    #expect(
      faults(definition(adding: "write:\n  batch: !!int \"5\"")) == """
        slot.yaml:18:10: write.batch: has a YAML tag, must be a whole number from 1 to 100000
          hint: remove the tag (what begins with `!`)
        """)
  }

  @Test("a value that may be a secret is not shown again")
  func aValueThatMayBeASecretIsNotShownAgain() {
    #expect(
      faults(
        definition(replacing: "slot: ledger_states", with: "slot: postgresql://ledger:hunter2@db/ledger"))
          == """
          slot.yaml:2:7: slot: is `***`, must be 1 to 63 of a-z, 0-9 and _
            hint: name it after what it derives: `crossfade_transaction_state`
          """)
  }

  @Test("a long value is shown in part, its control characters as escapes")
  func aLongValueIsShownInPartItsControlCharactersAsEscapes() {
    #expect(
      faults(
        definition(
          replacing: "slot: ledger_states",
          with: "slot: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\e[31myyyyyyyyyyyyyyyyyyyy\""
        )) == """
          slot.yaml:2:7: slot: is `xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\\u{1b}[31m...`, must be 1 to 63 of a-z, 0-9 and _
            hint: name it after what it derives: `crossfade_transaction_state`
          """)
  }
}
