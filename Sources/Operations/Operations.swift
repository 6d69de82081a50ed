// Operations is what an operator sees: log lines, progress, tables, failures with their remedy, latencies.
// What it shows is rendered from values (time, width and terminal are inputs); only the last step writes.
