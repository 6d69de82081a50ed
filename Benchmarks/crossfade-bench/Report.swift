import Glibc
import Operations

/// The figures of a run.
struct Report {
  /// One figure: our rounds and the reference's.
  struct Line {
    var name: String
    var unit: String
    var ours: [Double]
    var reference: String
    var theirs: [Double]
    /// Whether less is better; the ratio is then still ours by theirs.
    var ratio: Double? {
      guard let a = Report.median(ours), let b = Report.median(theirs), b > 0 else { return nil }
      return a / b
    }
  }

  private(set) var lines: [Line] = []

  mutating func add(_ line: Line) {
    lines.append(line)
    say(
      "  \(line.name): ours \(Self.text(line.ours)) \(line.unit), \(line.reference) \(Self.text(line.theirs))"
        + (line.ratio.map { ", ratio \(Self.rounded($0, 2))" } ?? ""))
  }

  static func median(_ values: [Double]) -> Double? {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
  }

  var table: String {
    var table = Table([
      .text("figure"), .text("unit"), .number("ours"), .text("reference"), .number("theirs"),
      .number("ratio"),
    ])
    for line in lines {
      table.append([
        line.name, line.unit, Self.median(line.ours).map { Self.rounded($0, 2) } ?? "-", line.reference,
        Self.median(line.theirs).map { Self.rounded($0, 2) } ?? "-",
        line.ratio.map { Self.rounded($0, 2) } ?? "-",
      ])
    }
    return table.rendered()
  }

  func write(to path: String) throws {
    let json = JSONValue.array(
      lines.map { line in
        .object([
          ("name", .string(line.name)), ("unit", .string(line.unit)),
          ("ours", .array(line.ours.map { .number($0) })), ("reference", .string(line.reference)),
          ("theirs", .array(line.theirs.map { .number($0) })),
          ("ratio", line.ratio.map { .number($0) } ?? .null),
        ])
      })
    guard let file = fopen(path, "w") else { throw BenchError("cannot write \(path)") }
    fputs(json.pretty + "\n", file)
    fclose(file)
  }

  private static func text(_ values: [Double]) -> String {
    values.isEmpty ? "-" : values.map { rounded($0, 2) }.joined(separator: " / ")
  }

  static func rounded(_ value: Double, _ places: Int) -> String {
    if value >= 1000 { return HumanFormat.count(Int(value.rounded())) }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    return "\((value * scale).rounded() / scale)"
  }
}

/// What ends a benchmark.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Writes a line to standard output at once, also into a pipe.
func say(_ line: String) {
  LineSink(fileDescriptor: STDOUT_FILENO).write(line: line)
}
