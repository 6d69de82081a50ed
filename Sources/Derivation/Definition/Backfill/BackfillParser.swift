internal import Yams

/// Reads `backfill:`.
extension DefinitionReader {
  mutating func backfill(_ root: Section) -> SlotDefinition.Backfill {
    var backfill = SlotDefinition.Backfill()
    guard let section = optionalSection(root, "backfill", .backfill) else { return backfill }
    if let batch = batch(section) { backfill.batch = batch }
    let hour = Milliseconds(3_600_000)
    if let value = field(section, "pause").flatMap({ duration($0, in: Milliseconds(0)...hour) }) {
      backfill.pause = value
    }
    if let value = field(section, "target").flatMap({ duration($0, in: Milliseconds(1)...hour) }) {
      backfill.target = value
    }
    let sizes = ByteCount(bytes: 64 << 10)...ByteCount(bytes: 16 << 30)
    if let value = field(section, "wal").flatMap({ size($0, in: sizes) }) { backfill.wal = value }
    if let value = field(section, "lock_timeout").flatMap({ duration($0, in: Milliseconds(1)...hour) }) {
      backfill.lockTimeout = value
    }
    if let value = field(section, "triggers").flatMap({ choice($0, SlotDefinition.Triggers.self) }) {
      backfill.triggers = value
    }
    backfill.windows = windows(section)
    backfill.signals = signals(section)
    return backfill
  }

  private mutating func windows(_ section: Section) -> [MaintenanceWindow] {
    let hint = "write days, hours and a time zone: `\"Mon-Fri 22:00-05:00 Europe/Berlin\"`"
    guard let field = field(section, "windows"),
      let elements = list(field, of: "a list of windows", hint: hint)
    else { return [] }
    var windows: [MaintenanceWindow] = []
    for element in elements {
      guard let text = text(element, "a window", hint: hint) else { continue }
      guard let window = MaintenanceWindow(text) else {
        report(element, "is \(element.kind), must be a window", hint: hint)
        continue
      }
      windows.append(window)
    }
    return windows
  }
}
