import LocalCluster

/// What `--keep` leaves: how to reach it, what to try, how to get rid of it.
struct DemoKeepsake {
  let stage: DemoStage

  /// Commands to copy, each on a line of its own.
  var text: String {
    let program = CommandLine.arguments.first ?? "crossfade"
    let psql = stage.cluster.installation.path(of: .psql)
    let status =
      "SELECT t.id, t.status, s.code FROM transactions t JOIN transaction_state s ON s.id = t.state_id ORDER BY t.id DESC LIMIT 5"
    return """

      The cluster is still there. Connect to it, and let crossfade do:

        export CROSSFADE_SOURCE="\(stage.conninfo)"
        export CROSSFADE_LOG=\(stage.logDirectory)

        \(psql) "$CROSSFADE_SOURCE" -c "\(status)"
        \(program) run \(stage.slotPath) &
        \(psql) "$CROSSFADE_SOURCE" -c "UPDATE transactions SET status = 'REFUNDED' WHERE id = 1"
        \(program) status \(stage.slotPath)
        \(program) verify \(stage.slotPath)
        cat $CROSSFADE_LOG/*.lz4 | lz4 -dc | \(program) decode - | tail -n 1

      Stop it and remove it (crossfade run first, if it is up):

        kill -INT \(stage.cluster.pid ?? 0); sleep 2; rm -rf \(stage.cluster.path)
      """
  }
}
