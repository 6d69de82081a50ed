// LocalCluster: a throw-away PostgreSQL cluster, and a card ledger with application traffic on it, for
// `crossfade demo`, tests and benchmarks.
//
// - Processes: `ChildProcess`, `ProcessStatus`, `LiveServers` (what a signal handler may still stop).
// - The server: `PostgresInstallation`, `Cluster`.
// - The ledger: `LegacyStatus`, `LedgerSchema`, `LedgerLoader`, `Workload`, `Oracle`.
