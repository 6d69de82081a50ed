// A process that makes clusters and ends, for the tests of what becomes of them. (Exit tests would do, but their
// monitor waits for any child of the process, and tests that have children of their own can make it wait for ever.)

import Glibc
import LocalCluster

let verb = CommandLine.arguments.dropFirst().first ?? ""
do {
  switch verb {
  case "be-killed", "leave-running":
    let cluster = try Cluster.running()
    print("\(cluster.pid ?? 0)\n\(cluster.path)")
    fflush(nil)
    if verb == "be-killed" { kill(getpid(), SIGKILL) }
    cluster.leaveRunning()
    exit(0)
  case "signal-all":
    let clusters = [try Cluster.running(), try Cluster.running()]
    guard LiveServers.count == 2 else { exit(2) }
    signal(SIGUSR1) { _ in LiveServers.signalAll(SIGQUIT) }
    kill(getpid(), SIGUSR1)
    exit(eventually(within: .seconds(30)) { clusters.allSatisfy { !$0.isRunning } } ? 7 : 1)
  default:
    exit(64)
  }
} catch {
  print("\(error)")
  exit(1)
}
