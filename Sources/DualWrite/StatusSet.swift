import Derivation
import Glibc
import PGOutput

/// The statuses the map knows, for one look a change.
struct StatusSet {
  private let few: [[UInt8]]
  private let many: Set<[UInt8]>
  let knowsNull: Bool

  init(_ map: StateMap) {
    var all: [[UInt8]] = []
    var null = false
    for row in map.rows {
      if let status = row.status { all.append(status.bytes) } else { null = true }
    }
    few = all.count <= 32 ? all : []
    many = all.count > 32 ? Set(all) : []
    knowsNull = null
  }

  /// Whether exactly these bytes are a status of the map.
  func contains(_ status: RawSpan) -> Bool {
    if !many.isEmpty { return many.contains([UInt8](status)) }
    return status.withUnsafeBytes { bytes in
      few.contains { known in
        known.count == bytes.count
          && known.withUnsafeBytes { other in
            guard let a = other.baseAddress, let b = bytes.baseAddress else { return bytes.isEmpty }
            return memcmp(a, b, bytes.count) == 0
          }
      }
    }
  }
}
