import ChangeLog
import Derivation
import PGOutput

/// Turns records of the log into batches: which keys were touched, up to which commit.
///
/// A value without socket or clock. In the standing `forward` changes to one key coalesce: the row is derived once, as it stands.
/// In `both` each whole transaction goes into the book of what is intended (`BatchBuilder+Course`).
struct BatchBuilder {
  let derive: SlotDefinition.Derive
  var statuses: StatusSet
  /// Reads the pair of a change.
  var pairs = PairReader()
  /// What is done with a change.
  private(set) var standing: Direction.Standing
  /// Whether triggers keep both columns in step, and no old rows come.
  var isBridged = false
  /// What is intended in `both`.
  var book = IntentionBook()
  var staged = StagedTransaction()
  private var account = TransactionAccount()
  private var relations: [RelationID: TrackedRelation?] = [:]
  private let slot: String
  private let skipThrough: LSN
  private let partitionKey: PartitionKey?
  private let forms: [TypeOID: BinaryForm]

  /// The commit record of the transaction under way.
  private(set) var final = LSN.invalid
  private(set) var xid: UInt32 = 0
  /// The end of the last transaction that was read.
  private(set) var reached: LSN
  private var skipping = false
  /// The key of the row at hand.
  var scratch: [UInt8] = []
  /// The text of a binary value.
  var text: [UInt8] = []
  // A relation that does not fit is kept until the decoding is over: one error type at a time.
  var failure: DualWriteError?

  var batch: Batch

  /// - Parameters:
  ///   - forms: the binary forms of types that are not built in.
  ///   - skipThrough: transactions that ended here or before are applied already.
  init(
    derive: SlotDefinition.Derive, slot: String = "", statuses: StatusSet, forms: [TypeOID: BinaryForm] = [:],
    standing: Direction.Standing = .forward, blank: [UInt8]? = nil, partitionKey: PartitionKey? = nil,
    skipThrough: LSN, capacity: Int
  ) {
    self.partitionKey = partitionKey
    self.derive = derive
    self.slot = slot
    self.statuses = statuses
    self.forms = forms
    self.standing = standing
    self.skipThrough = skipThrough
    reached = skipThrough
    pairs.blank = blank
    batch = Batch(capacity: capacity)
  }

  /// Whether a transaction has begun whose end has not come.
  var isInsideTransaction: Bool { final.isValid }

  /// Goes on in another standing: between two transactions, with nothing gathered and nothing intended.
  mutating func turn(to standing: Direction.Standing) { self.standing = standing }

  /// Goes on with another map; what it knows by now is no longer unknown.
  mutating func use(_ statuses: StatusSet) {
    self.statuses = statuses
    for index in 0..<batch.keys.count {
      let place = Int(batch.keys.entries[index].unknown)
      guard batch.unknown.indices.contains(place), !batch.unknown[place].isFinal else { continue }
      let unknown = batch.unknown[place]
      if let sight = unknown.sight {
        judgeAgain(unknown, sight, index)
      } else if statuses.knows(unknown.status) {
        batch.keys.update(index) { $0.unknown = -1 }
      }
    }
  }

  /// Takes the batch and goes on with an empty one; a transaction that is under way goes on in it.
  mutating func take(_ empty: Batch) -> Batch {
    let full = batch
    batch = empty
    if isInsideTransaction, !skipping { batch.xids.append(xid) }
    return full
  }

  /// Adds one record.
  mutating func add(_ payload: UnsafeRawBufferPointer, walStart: UInt64) throws(DualWriteError) {
    do throws(DecodeError) {
      switch payload.first {
      case UInt8(ascii: "I"), UInt8(ascii: "U"), UInt8(ascii: "D"):
        guard !skipping else { return }
        guard let change = try RowChange(decoding: payload.bytes) else { return }
        try add(change)
      default: try addOther(payload.bytes)
      }
    } catch {
      throw .decode(error, walStart: LSN(rawValue: walStart))
    }
    if let failure = takeFailure() { throw failure }
  }

  private mutating func takeFailure() -> DualWriteError? {
    defer { failure = nil }
    return failure
  }

  private mutating func add(_ change: RowChange) throws(DecodeError) {
    guard let relation = relations[change.relation] ?? nil else { return }
    batch.changes += 1
    switch standing {
    case .forward: addForward(change, relation)
    case .both: addCourse(change, relation)
    case .rest:
      if let new = change.new, collect(new, change.old, relation) { _ = judge(change, new, relation) }
    }
  }

  private mutating func addOther(_ payload: RawSpan) throws(DecodeError) {
    switch try Message(decoding: payload) {
    case .begin(let begin):
      final = begin.finalLSN
      xid = begin.xid.rawValue
      // The commit record lies before its end: a transaction that begins there was not applied yet.
      skipping = begin.finalLSN < skipThrough
      if !skipping, batch.xids.last != xid { batch.xids.append(xid) }
    case .commit(let commit):
      if !skipping { end(commit) }
      final = .invalid
      skipping = false
    case .relation(let relation):
      do throws(DualWriteError) {
        relations[relation.id] = .some(try TrackedRelation(relation, derive: derive, forms: forms))
      } catch {
        failure = error
      }
    case .truncate(let truncate):
      guard !skipping, truncate.relations.contains(where: { relations[$0] ?? nil != nil }) else { return }
      batch.changes += 1
      if standing == .both { staged.truncate() } else { truncateBatch() }
    case .message(let message): if !skipping { account.note(message, slot: slot) }
    default: return
    }
  }

  /// The table is empty: what the batch holds of it stands no more.
  mutating func truncateBatch() {
    batch.keys.removeAll()
    batch.unknown.removeAll()
    batch.truncated = true
  }

  private mutating func end(_ commit: Commit) {
    batch.endLSN = commit.endLSN
    batch.transactions += 1
    reached = commit.endLSN
    if standing == .both { endCourse(commit.endLSN) }
    // A position is a commit's end, which only its commit tells.
    for index in batch.unknown.indices where batch.unknown[index].position == final {
      batch.unknown[index].position = commit.endLSN
    }
    batch.account.add(account, end: commit.endLSN, at: commit.commitTime)
    account.removeAll()
  }

  /// What a change tells, counted; nil where the columns are not published or were not sent in a form that can be read.
  mutating func judge(_ change: RowChange, _ new: TupleView, _ relation: TrackedRelation) -> Judged? {
    var isInsert: Bool
    switch change.kind {
    case .insert: isInsert = true
    case .update, .delete: isInsert = false
    }
    var before: (key: KeyBytes, pair: PairValues)?
    if standing == .both, isInsert, let removed = staged.lastRemoved,
      partitionKey?.mayBeOne(removed.key, scratch) == true
    {
      // An update that took the row to another partition.
      before = removed
      isInsert = false
    }
    let seen: Sight?
    switch change.oldKind {
    case .full:
      seen = pairs.sight(new, before: change.old, deleted: nil, isInsert: isInsert, relation, statuses)
    case .key, .none:
      seen = pairs.sight(new, before: nil, deleted: before?.pair, isInsert: isInsert, relation, statuses)
    }
    guard var sight = seen else { return nil }
    sight.isBridged = isBridged
    let verdict = Verdict(sight)
    // Before anybody writes the new column, a pair that does not agree was written by one who does not know it.
    let isAged = standing == .forward && !sight.hasBefore && !sight.isInsert && sight.agreement != .agrees
    account.note(isAged ? .old : verdict.kind, scratch)
    return Judged(sight: sight, verdict: verdict, moved: before?.key)
  }

  /// A change that was judged.
  struct Judged {
    var sight: Sight
    var verdict: Verdict
    /// The key under which it was removed right before, in another partition.
    var moved: KeyBytes?
  }
}
