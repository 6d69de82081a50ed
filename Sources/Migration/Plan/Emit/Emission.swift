import Derivation

/// The steps of a plan that another tool can carry out, in the groups in which they may run: between two groups stands work
/// that only Crossfade does, or a wait.
public struct Emission: Sendable {
  /// Steps that may run one after the other, and what has to be done before them.
  struct Group: Sendable {
    var number: Int
    var name: String
    /// Commands and waits, in order.
    var before: [String]
    var steps: [NumberedStep]

    var directory: String { "\(number)-\(name)" }
  }

  /// A step with its number over all groups.
  struct NumberedStep: Sendable {
    var number: Int
    var step: Step
    /// `01`: as many digits for each, so that names sort as numbers do.
    var digits = ""

    /// `01_expand_map`.
    var name: String { "\(digits)_\(slug)" }

    /// The step's name in letters, digits and underscores: `expand_map`.
    var slug: String {
      var text = ""
      for scalar in step.id.unicodeScalars {
        let isPlain = ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
        if isPlain { text.unicodeScalars.append(scalar) } else if text.last != "_" { text += "_" }
      }
      return text
    }
  }

  let plan: Plan
  let groups: [Group]
  /// What has to be done after the last group.
  let after: [String]
  /// The number of the first file, where a tool orders by numbers.
  let first: Int
  /// The revision that the first one follows, where a tool chains them.
  let follows: String?

  /// - Parameters:
  ///   - first: the number of the first file, for Flyway and dbmate.
  ///   - follows: the revision that the first one follows, for Alembic.
  public init(_ plan: Plan, first: Int = 1, follows: String? = nil) {
    self.plan = plan
    self.first = first
    self.follows = follows
    var groups: [Group] = []
    var waiting: [String] = []
    var isOpen = false
    var number = 0
    for entry in plan.pending {
      let step = entry.step
      if case .work(let command) = step.manner {
        let sentence = "`\(command) SLOT.yaml`"
        if !waiting.contains(sentence) { waiting.append(sentence) }
        isOpen = false
        continue
      }
      // Nothing to run: what it would make stands.
      guard !step.statements.isEmpty else { continue }
      if step.id == "contract.drop" {
        waiting.append("wait \(plan.definition.migrate.grace): the old column is only renamed until then")
        isOpen = false
      }
      if !isOpen {
        groups.append(
          Group(number: groups.count + 1, name: Self.name(of: step), before: waiting, steps: []))
        waiting = []
        isOpen = true
      }
      number += 1
      groups[groups.count - 1].steps.append(NumberedStep(number: number, step: step))
    }
    let width = max(2, String(number).count)
    for (index, group) in groups.enumerated() {
      groups[index].steps = group.steps.map {
        NumberedStep(number: $0.number, step: $0.step, digits: Self.padded($0.number, to: width))
      }
    }
    self.groups = groups
    after = waiting
  }

  /// The files for a tool, the notes for people among them. Pure: the same plan gives the same files.
  public func files(for tool: EmitTool) -> [EmittedFile] {
    let files =
      switch tool {
      case .flyway: FlywayFiles(self).files
      case .liquibase: LiquibaseFiles(self).files
      case .dbmate: DbmateFiles(self).files
      case .alembic: AlembicFiles(self).files
      case .sql: PsqlFiles(self).files
      }
    return [EmittedFile(path: "README.md", text: EmissionNotes(self, tool).text)] + files
  }

  /// A number with zeros before it, so that names sort as numbers do.
  static func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// The number of a file, where a tool orders by numbers: as many digits for each.
  func order(_ item: NumberedStep) -> String {
    let (last, overflows) = first.addingReportingOverflow(steps.count)
    return Self.padded(overflows ? item.number : first + item.number - 1, to: max(3, String(last).count))
  }

  /// All steps that are emitted.
  var steps: [NumberedStep] { groups.flatMap(\.steps) }

  private static func name(of step: Step) -> String {
    if step.id == "contract.rename" { return "rename" }
    if step.id == "contract.drop" { return "drop" }
    return switch step.phase {
    case .planned, .expanded: "expand"
    case .capturing, .backfilled: "constrain"
    case .verified, .cutOver: "cutover"
    case .contracted: "contract"
    }
  }
}
