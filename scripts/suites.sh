# Which tests are which; sourced by the scripts that run them. Patterns as `swift test --filter` wants them.

# What starts servers and processes: one after the other, so that they have the machine's cores to themselves.
servers='^(CaptureTests|CommandTests|DualWriteTests|IntegrationTests|LocalClusterTests|MigrationTests|PostgresTests'
servers+='|ScenarioTests|SubscriptionsTests)\.'

# Of these, what tells most about a server's version in about a minute: every statement that Crossfade sends it, what it
# streams, refuses and leaves behind, and one crash of each kind.
telling='^(DualWriteTests|MigrationTests|PostgresTests|ScenarioTests)\.|/(AdjacentCommitTests|BackfillCrashTests)/'
telling+='|/(CheckTests|ConfirmationTests|JointFailureTests|OwnWritesTests|PreparedTests|QuarantineTests|RefusalTests)/'
telling+='|/(KeyTests|ResetTests|ServerFaultTests|VisibilityTests)/'

# What of these says more of time and crashes than of versions, and takes a minute: not in the short form.
patient='[./](BackfillControlTests|CutoverHundred|BackfillStandbyTests|KillMatrixTests|StepRunnerTests)/'

# Builds all tests. On a terminal the line that counts up stays; in a log it would be a thousand lines.
build_tests() {
  if [ -t 1 ]; then
    swift build --build-tests
  else
    swift build --build-tests 2>&1 | sed -u '/^\[[0-9]*\/[0-9]*\] /d'
  fi
}
