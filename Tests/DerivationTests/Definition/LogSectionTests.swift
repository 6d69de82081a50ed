import Derivation
import Testing

@Suite("The log section of a slot definition")
struct LogSectionTests {
  private func log(_ lines: String) -> String {
    definition(
      replacing: "  directory: /var/lib/crossfade", with: "  directory: /var/lib/crossfade\n\(lines)")
  }

  private func read(_ lines: String) throws -> SlotDefinition.Log {
    try SlotDefinition.parse(yaml: log(lines), file: "slot.yaml", environment: [:]).log
  }

  @Test("retention, archive and restore are read; the commands as they are written, dollars and all")
  func all() throws {
    let read = try read(
      """
        retain:
          age: 30d
          size: 100GiB
          reader_lag: 50GiB
        archive: test ! -e "/a/$SITE/%f" && cp %p "/a/$SITE/%f" # 100%%
        restore: cp /a/%f %p
        command_timeout: 90s
      """)
    #expect(read.retain == .init(age: Age("30d"), size: ByteCount("100GiB"), readerLag: ByteCount("50GiB")))
    #expect(read.retain.age?.seconds == 30 * 86_400)
    #expect(read.archive == "test ! -e \"/a/$SITE/%f\" && cp %p \"/a/$SITE/%f\"")
    #expect(read.restore == "cp /a/%f %p")
    #expect(read.commandTimeout == .seconds(90))
  }

  @Test("without them everything is kept, and nothing is archived")
  func defaults() throws {
    let read = try read("  segment: 64MiB")
    #expect(read.retain.keepsAll && read.archive == nil && read.restore == nil)
    #expect(read.commandTimeout == .seconds(600))
    #expect(try self.read("  retain:").retain.keepsAll)
  }

  @Test("an age has its unit, a day is the largest; timeouts know no days")
  func ages() {
    #expect(Age("36h")?.description == "36h" && Age("48h")?.description == "2d" && Age("1w") == nil)
    #expect(
      faults(log("  retain: {age: 30, size: 100G}\n  command_timeout: 1d")) == """
        slot.yaml:17:17: log.retain.age: is `30`, must be an age from 1s to 36500d
          hint: write digits and one of s, m, h, d: `30d`
        slot.yaml:17:27: log.retain.size: is `100G`, must be a size from 64KiB to 1048576GiB
          hint: did you mean `100GiB`? Sizes are powers of 1024
        slot.yaml:18:20: log.command_timeout: is `1d`, must be a duration from 1s to 24h
          hint: write digits and one of ms, s, m, h: `500ms`, `2s`
        """)
    #expect(
      faults(log("  retain: {reader_lag: 1GiB}")) == """
        slot.yaml:17:24: log.retain.reader_lag: is given without `age` or `size`, and then nothing is dropped
          hint: give `age: 30d` or `size: 100GiB` too, or remove it
        """)
  }

  @Test("a command without its file, or with a place that means nothing, is refused")
  func commands() {
    #expect(
      faults(log("  archive: cp %p /a/%n\n  restore: date")) == """
        slot.yaml:17:12: log.archive: has `%n`, which means nothing here
          hint: write `%p`, `%f`, or `%%` for a percent sign
        slot.yaml:18:12: log.restore: has neither `%p` nor `%f`, must be a shell command with `%p` (the file's path here) and `%f` (its name in the archive)
          hint: write `cp /archive/%f %p`
        """)
    #expect(
      faults(log("  archive: ''\n  restore: cp %f 5%")) == """
        slot.yaml:17:12: log.archive: is empty or holds a NUL, must be a shell command with `%p` (the file's path here) and `%f` (its name in the archive)
          hint: write `cp %p /archive/%f`
        slot.yaml:18:12: log.restore: has `%`, which means nothing here
          hint: write `%p`, `%f`, or `%%` for a percent sign
        """)
  }
}
