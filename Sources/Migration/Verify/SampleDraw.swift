/// Draws rows of a table uniformly. A value.
///
/// A place - block and line pointer - is drawn among all places there can be; where no visible row stands, the draw counts
/// for nothing. So every row has the same chance, however full its block is. (`TABLESAMPLE SYSTEM` takes or leaves whole
/// blocks, and rows written together are wrong together; `BERNOULLI` reads the table.)
struct SampleDraw {
  /// A partition, or the table itself, and its blocks when the draw began.
  struct Leaf: Equatable {
    var oid: UInt32
    var blocks: UInt64
  }

  private let leaves: [Leaf]
  private let blocks: UInt64
  private let places: UInt64
  private var state: UInt64

  /// - Parameter blockSize: bytes of a block; what it can hold at most is `MaxHeapTuplesPerPage` (`htup_details.h`).
  init(leaves: [Leaf], blockSize: UInt64, seed: UInt64) {
    self.leaves = leaves.filter { $0.blocks > 0 }
    blocks = self.leaves.reduce(0) { $0 &+ $1.blocks }
    places = max(1, (max(blockSize, 1024) - 24) / 28)
    state = seed
  }

  /// Whether there is anything to draw from.
  var isEmpty: Bool { blocks == 0 }

  /// Draws `count` places: by partition, as `(block,line)`.
  mutating func next(_ count: Int) -> [UInt32: [String]] {
    var drawn: [UInt32: [String]] = [:]
    guard !isEmpty else { return drawn }
    for _ in 0..<count {
      var block = number(below: blocks)
      let line = number(below: places) + 1
      for leaf in leaves {
        if block < leaf.blocks {
          drawn[leaf.oid, default: []].append("(\(block),\(line))")
          break
        }
        block -= leaf.blocks
      }
    }
    return drawn
  }

  /// A number in `0..<bound`, each as likely (Lemire's multiplication; the bias of 2^-64 times the bound is none).
  private mutating func number(below bound: UInt64) -> UInt64 {
    random().multipliedFullWidth(by: bound).high
  }

  /// SplitMix64 (Steele, Lea, Flood 2014).
  private mutating func random() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
