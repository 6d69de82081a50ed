// crossfade: the command line. Arguments, wiring and output; no logic of its own.

import ArgumentParser

/// The root command.
@main
struct CrossfadeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crossfade",
    abstract: "Fades an old column out while a new one fades in, on a live PostgreSQL ledger.",
    subcommands: [
      CheckCommand.self, PlanCommand.self, ExpandCommand.self, RunCommand.self, StatusCommand.self,
      BackfillCommand.self, ConstrainCommand.self, VerifyCommand.self, CutoverCommand.self,
      ReadinessCommand.self, ContractCommand.self, RollbackCommand.self, AuditCommand.self,
      ReportCommand.self, QuarantineCommand.self, ResetCommand.self, LogCommand.self, ReplayCommand.self,
      EventsCommand.self,
      DecodeCommand.self, DemoCommand.self,
    ])
}
