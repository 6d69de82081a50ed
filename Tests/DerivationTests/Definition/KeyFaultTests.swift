import Testing

@Suite("Keys of a slot definition")
struct KeyFaultTests {
  @Test("an unknown key is answered with the one it may be")
  func anUnknownKeyIsAnsweredWithTheOneItMayBe() {
    #expect(
      faults(definition(replacing: "  table: public.transactions\n", with: "  tabel: public.transactions\n"))
        == """
        slot.yaml:6:3: derive.tabel: there is no such key
          hint: did you mean `table`?
        """)
  }

  @Test("a key that belongs elsewhere is told where")
  func aKeyThatBelongsElsewhereIsToldWhere() {
    #expect(
      faults(definition(adding: "log_timeout: 1\nlock_timeout: 2s\npause: 1s\nbatch: 5\nsegement: 1")) == """
        slot.yaml:17:1: log_timeout: there is no such key
          hint: known here: `version`, `slot`, `publication`, `source`, `derive`, `log`, `confirm`, `stream`, `write`, `backfill`, `migrate`, `events`, `serve`
        slot.yaml:18:1: lock_timeout: there is no such key
          hint: `lock_timeout` belongs under `write` or under `backfill` or under `migrate`
        slot.yaml:19:1: pause: there is no such key
          hint: `pause` belongs under `backfill`
        slot.yaml:20:1: batch: there is no such key
          hint: `batch` belongs under `write` or under `backfill`
        slot.yaml:21:1: segement: there is no such key
          hint: known here: `version`, `slot`, `publication`, `source`, `derive`, `log`, `confirm`, `stream`, `write`, `backfill`, `migrate`, `events`, `serve`
        """)
  }

  @Test("a key at home on the top level is told so")
  func aKeyAtHomeOnTheTopLevelIsToldSo() {
    #expect(
      faults(definition(replacing: "  from: status", with: "  from: status\n  confirm: logged")) == """
        slot.yaml:9:3: derive.confirm: there is no such key
          hint: `confirm` belongs at the top level
        """)
  }

  @Test("a key like no other is answered with those there are")
  func aKeyLikeNoOtherIsAnsweredWithThoseThereAre() {
    #expect(
      faults(definition(replacing: "  directory:", with: "  zebra: 1\n  directory:")) == """
        slot.yaml:16:3: log.zebra: there is no such key
          hint: known here: `directory`, `segment`, `retain`, `archive`, `restore`, `command_timeout`
        """)
  }

  @Test("a merge key is refused")
  func aMergeKeyIsRefused() {
    #expect(
      faults(definition(adding: "write:\n  <<: {batch: 5}")) == """
        slot.yaml:18:3: write.<<: there is no such key
          hint: merge keys are not read; write the keys out (anchors and aliases of whole values are fine)
        """)
  }

  @Test("a key that is a list is refused")
  func aKeyThatIsAListIsRefused() {
    #expect(
      faults(definition(adding: "write:\n  [a, b]: 5")) == """
        slot.yaml:18:3: write: a key is a mapping or a list, must be a name
          hint: known here: `batch`, `lock_timeout`, `statement_timeout`, `synchronous_commit`
        """)
  }

  @Test("a key given twice is told with its first place")
  func aKeyGivenTwiceIsToldWithItsFirstPlace() {
    #expect(
      faults(definition(adding: "slot: other")) == """
        slot.yaml:17:1: slot: is given again; it stands on line 2 already
          hint: keep one of them
        """)
  }

  @Test("keys given again and again are all told, wherever they stand")
  func keysGivenAgainAndAgainAreAllToldWhereverTheyStand() {
    #expect(
      faults(
        definition(
          adding:
            "confirm: logged\nconfirm: applied\n\"confirm\": logged\nwrite: {batch: 1, batch: 2}\nbackfil:\n  pause: 1s\n  pause: 2s"
        )) == """
          slot.yaml:18:1: confirm: is given again; it stands on line 17 already
            hint: keep one of them
          slot.yaml:19:1: confirm: is given again; it stands on line 17 already
            hint: keep one of them
          slot.yaml:20:19: write.batch: is given again; it stands on line 20 already
            hint: keep one of them
          slot.yaml:21:1: backfil: there is no such key
            hint: did you mean `backfill`?
          slot.yaml:23:3: backfil.pause: is given again; it stands on line 22 already
            hint: keep one of them
          """)
  }

  @Test("a missing key is told with how to write it")
  func aMissingKeyIsToldWithHowToWriteIt() {
    #expect(
      faults(definition(replacing: "  to: state_id\n", with: "")) == """
        slot.yaml:5:1: derive.to: is missing
          hint: write `to: state_id`, the new column
        """)
  }

  @Test("everything missing is told at once")
  func everythingMissingIsToldAtOnce() {
    #expect(
      faults("version: 1") == """
        slot.yaml:1:1: slot: is missing
          hint: write `slot: NAME`, the replication slot's name
        slot.yaml:1:1: source: is missing
          hint: write `source:` with `connection: ${CROSSFADE_SOURCE}` indented under it
        slot.yaml:1:1: derive: is missing
          hint: write `derive:` with `table:`, `key:`, `from:`, `to:` and `map:` indented under it
        slot.yaml:1:1: log: is missing
          hint: write `log:` with `directory: PATH` indented under it
        """)
  }

  @Test("an empty section is told")
  func anEmptySectionIsTold() {
    #expect(
      faults(definition(replacing: "  directory: /var/lib/crossfade", with: "")) == """
        slot.yaml:15:1: log: is empty
          hint: write `log:` with `directory: PATH` indented under it
        """)
  }

  @Test("an empty value is told at its key")
  func anEmptyValueIsToldAtItsKey() {
    #expect(
      faults(definition(replacing: "slot: ledger_states", with: "slot:")) == """
        slot.yaml:2:1: slot: is empty
          hint: write `slot: NAME`, the replication slot's name
        """)
  }
}
