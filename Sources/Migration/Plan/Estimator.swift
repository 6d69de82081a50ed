import Derivation

/// What each step will cost, from the sizes that the catalogs tell and rates that were seen or are assumed.
struct Estimator {
  let definition: SlotDefinition
  let sizes: SizeFacts

  /// The cost of a step; empty for one that changes the catalogs alone.
  func estimate(_ step: Step) -> Estimate {
    // `backfill.index:public.p1` is about one partition.
    let parts = step.id.split(separator: ":", maxSplits: 1)
    let share = parts.count > 1 ? self.share(of: step) : 1
    guard let share else { return Estimate() }
    switch parts.first.map(String.init) ?? step.id {
    case "backfill.rows": return backfill
    case "expand.index", "backfill.index": return index(share)
    case "backfill.validate": return scan(share, AssumedRates.validateForeignKey)
    case "contract.check-validate": return scan(share, AssumedRates.validateCheck)
    case "cutover.identity": return wholeRows
    case "verify.whole": return scan(share, AssumedRates.verify)
    default: return Estimate()
    }
  }

  /// All of them together; what has no figure counts nothing.
  static func total(_ estimates: [Estimate]) -> Estimate {
    func sum(_ path: KeyPath<Estimate, Figure?>) -> Figure? {
      let figures = estimates.compactMap { $0[keyPath: path] }
      guard !figures.isEmpty else { return nil }
      return Figure(figures.reduce(0) { $0 + $1.amount }, "the steps' together")
    }
    return Estimate(seconds: sum(\.seconds), wal: sum(\.wal), disk: sum(\.disk))
  }

  private var rows: Double { Double(max(0, sizes.rows)) }

  private func share(of step: Step) -> Double? {
    // The map is locked too, where the step is about the foreign key.
    let bytes = step.locks.compactMap { sizes.partitions[$0.table] }.first
    guard let bytes, sizes.heapBytes > 0 else { return nil }
    return Double(bytes) / Double(sizes.heapBytes)
  }

  private func counted(_ share: Double) -> Figure {
    Figure(
      (rows * share).rounded(),
      share == 1 ? sizes.evidence : "its part of the table's bytes; " + sizes.evidence)
  }

  private var backfill: Estimate {
    let rate = self.rate
    return Estimate(
      rows: counted(1), seconds: Figure(rows / rate.amount, rate.evidence), wal: wal,
      disk: Figure(
        Double(sizes.heapBytes),
        "at most the table's own \(Sizes.text(UInt64(max(0, sizes.heapBytes)))): each row gets a second version; vacuum makes the "
          + "first reusable, and gives nothing back"))
  }

  /// Rows a second, rests included.
  private var rate: Figure {
    if let earlier = sizes.earlier {
      return Figure(
        Double(earlier.rows) / earlier.seconds,
        "this slot's own backfill so far: \(Sizes.count(earlier.rows)) rows in \(Int(earlier.seconds)) s, rests included"
      )
    }
    let (batch, pause) = (Double(definition.backfill.batch), Double(definition.backfill.pause.count) / 1_000)
    let rate = batch / (batch / AssumedRates.backfill + pause)
    return Figure(
      rate,
      "at \(Sizes.count(Int64(rate))) rows/s; \(Sizes.count(Int64(AssumedRates.backfill))) \(AssumedRates.source)"
        + (pause > 0
          ? ", less rests of \(definition.backfill.pause) after \(definition.backfill.batch) rows" : "")
    )
  }

  private var wal: Figure {
    let row = Double(sizes.rowBytes)
    let entries = Double(sizes.indexes)
    let pages = sizes.writesFullPages ? row + entries * AssumedRates.walIndexPage : 0
    let bytes = rows * (row + AssumedRates.walRecord + entries * AssumedRates.walIndexEntry + pages)
    return Figure(
      bytes,
      "\(sizes.rowBytes) bytes a row on its page, a record of it and of \(sizes.indexes == 1 ? "its index" : "each of \(sizes.indexes) indexes")"
        + (sizes.writesFullPages ? "; each page once whole (full_page_writes)" : "")
        + "; fewer where updates are HOT")
  }

  /// What one row costs: how many are changed from then on is the application's.
  private var wholeRows: Estimate {
    Estimate(
      wal: Figure(
        Double(sizes.rowBytes),
        "more for each row that is updated or deleted from then on, whose old values are written whole; the change log "
          + "grows likewise"))
  }

  private func index(_ share: Double) -> Estimate {
    let count = rows * share
    let bytes = count * AssumedRates.indexBytes
    return Estimate(
      rows: counted(share),
      seconds: Figure(
        2 * count / AssumedRates.indexScan,
        "read twice at \(Sizes.count(Int64(AssumedRates.indexScan))) rows/s (\(AssumedRates.source)); waits for older transactions come on top"
      ),
      wal: Figure(bytes, "the index, written whole"),
      disk: Figure(
        bytes, "\(Int(AssumedRates.indexBytes)) bytes a row: few values, each kept once for many rows"))
  }

  private func scan(_ share: Double, _ rate: Double) -> Estimate {
    Estimate(
      rows: counted(share),
      seconds: Figure(
        rows * share / rate, "read once at \(Sizes.count(Int64(rate))) rows/s (\(AssumedRates.source))"))
  }
}
