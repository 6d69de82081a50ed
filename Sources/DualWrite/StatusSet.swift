import Derivation
import Glibc
import PGOutput

/// The map as a change is judged by it: the statuses it knows, the state of each, and the states.
struct StatusSet {
  private let few: [(status: [UInt8], id: [UInt8])]
  private let many: [[UInt8]: [UInt8]]
  private let nullID: [UInt8]?
  private let states: Set<[UInt8]>
  let knowsNull: Bool

  init(_ map: StateMap) {
    var all: [(status: [UInt8], id: [UInt8])] = []
    var null = false
    var nullID: [UInt8]?
    for row in map.rows {
      if let status = row.status {
        all.append((status.bytes, row.id?.bytes ?? []))
      } else {
        null = true
        nullID = row.id?.bytes
      }
    }
    few = all.count <= 32 ? all : []
    many = all.count > 32 ? Dictionary(all, uniquingKeysWith: { first, _ in first }) : [:]
    knowsNull = null
    self.nullID = nullID
    states = Set(map.rows.compactMap { $0.id?.bytes })
  }

  /// Whether exactly these bytes are a status of the map.
  func contains(_ status: RawSpan) -> Bool { id(of: status) != nil }

  /// Whether a status, or NULL, is one of the map's.
  func knows(_ status: [UInt8]?) -> Bool { status.map { contains($0.rawBytes) } ?? knowsNull }

  /// Whether a row's pair is one that the map gives.
  func agreement(from: PairCell, to: PairCell) -> Sight.Agreement {
    let expected: [UInt8]?
    switch from.kind {
    case .unsent: return .untold
    case .null: expected = nullID
    case .value: expected = id(of: from.bytes.rawBytes)
    }
    switch to.kind {
    case .unsent: return .untold
    case .null: return .differs(fromKnown: expected != nil, toKnown: false)
    case .value:
      if expected == to.bytes { return .agrees }
      return .differs(fromKnown: expected != nil, toKnown: states.contains(to.bytes))
    }
  }

  private func id(of status: RawSpan) -> [UInt8]? {
    if !many.isEmpty { return many[[UInt8](status)] }
    return status.withUnsafeBytes { bytes in
      few.first { known in
        known.status.count == bytes.count
          && known.status.withUnsafeBytes { other in
            guard let a = other.baseAddress, let b = bytes.baseAddress else { return bytes.isEmpty }
            return memcmp(a, b, bytes.count) == 0
          }
      }?.id
    }
  }
}
