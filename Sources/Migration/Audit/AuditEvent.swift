import Foundation

/// Something that happened, to be written to the audit trail. Who did it, when and at which position the server adds.
public struct AuditEvent: Sendable, Hashable {
  /// What kind of thing.
  public enum Kind: String, Sendable, CaseIterable {
    /// A step that is not one transaction begins.
    case begun
    /// A step is done: committed.
    case done
    /// What a step would have made stood there already.
    case found
    /// A step was undone.
    case undone
    /// A step failed, or its lock could not be had.
    case failed
    /// What a broken off attempt had left was cleared away.
    case cleared
    /// The migration reached another phase.
    case phase
    /// A plan that was reviewed is carried out: by its hash.
    case accepted
    /// The migration was tried on a copy.
    case rehearsed
    /// The rows that were there before are derived.
    case backfilled
    /// A look at the whole table came to its end.
    case verified
    /// Rows were tried again that were in quarantine.
    case retried
  }

  /// What kind of thing.
  public var kind: Kind
  /// The step it is about.
  public var step: String?
  /// What was run, complete.
  public var statements: [String]
  /// How long the lock was waited for, all attempts together, in milliseconds.
  public var lockWait: Int?
  /// More, by name, as JSON.
  public var details: Details

  /// What an event says beside.
  public struct Details: Sendable, Hashable, Codable {
    /// How often the lock was asked for.
    public var attempts: Int?
    /// Who held it meanwhile.
    public var blockers: [Blocker]?
    /// Why it failed.
    public var error: String?
    /// The phase before.
    public var from: String?
    /// The phase now.
    public var to: String?
    /// What came of a rehearsal, or of a verification.
    public var result: String?
    /// Rows, by what became of them.
    public var rows: [String: Int64]?
    /// Everything committed up to here was applied when it began.
    public var since: String?
    /// Everything committed up to here was applied when the last row was judged.
    public var witness: String?
    /// The plan that it was of.
    public var plan: String?
    /// What the table was like when the plan was accepted.
    public var sketch: TableSketch?

    /// Nothing.
    public init() {}

    var json: String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      guard let data = try? encoder.encode(self) else { return "{}" }
      return String(decoding: data, as: UTF8.self)
    }
  }

  /// An event from its parts.
  public init(
    _ kind: Kind, step: String? = nil, statements: [String] = [], lockWait: Int? = nil,
    details: Details = .init()
  ) {
    self.kind = kind
    self.step = step
    self.statements = statements
    self.lockWait = lockWait
    self.details = details
  }
}
