/// Reads `stream:` and `write:`.
extension DefinitionReader {
  mutating func stream(_ root: Section, confirm: SlotDefinition.Confirm) -> SlotDefinition.Stream {
    var stream = SlotDefinition.Stream()
    guard let section = optionalSection(root, "stream", .stream) else { return stream }
    if let value = field(section, "streaming").flatMap({ truth($0) }) { stream.streaming = value }
    if let value = field(section, "two_phase").flatMap({ truth($0) }) { stream.twoPhase = value }
    if let value = field(section, "binary").flatMap({ truth($0) }) { stream.binary = value }
    if let value = field(section, "origin").flatMap({ choice($0, SlotDefinition.Origin.self) }) {
      stream.origin = value
    }
    stream.failover = field(section, "failover").flatMap { truth($0) }
    if stream.twoPhase, let field = section.fields["two_phase"] {
      if confirm == .applied {
        report(
          field, "is true, and `confirm` is `applied`",
          hint: "a prepared transaction is sent once and kept in the log alone: write `confirm: logged`")
      }
      if stream.origin == .none {
        report(
          field, "is true, and `stream.origin` is `none`",
          hint: "the server would send half of a prepared transaction: write `origin: any`")
      }
    }
    return stream
  }

  mutating func write(_ root: Section) -> SlotDefinition.Write {
    var write = SlotDefinition.Write()
    guard let section = optionalSection(root, "write", .write) else { return write }
    if let batch = batch(section) { write.batch = batch }
    // Zero would be PostgreSQL's "without limit": the ledger's writers would queue behind us.
    let lockRange = Milliseconds(1)...Milliseconds(3_600_000)
    let statementRange = Milliseconds(1)...Milliseconds(24 * 3_600_000)
    if let value = field(section, "lock_timeout").flatMap({ duration($0, in: lockRange) }) {
      write.lockTimeout = value
    }
    if let value = field(section, "statement_timeout").flatMap({ duration($0, in: statementRange) }) {
      write.statementTimeout = value
    }
    if let value = field(section, "synchronous_commit")
      .flatMap({ choice($0, SlotDefinition.SynchronousCommit.self) })
    {
      write.synchronousCommit = value
    }
    return write
  }

  mutating func batch(_ section: Section) -> Int? {
    field(section, "batch").flatMap { integer($0, in: 1...100_000) }
  }
}
