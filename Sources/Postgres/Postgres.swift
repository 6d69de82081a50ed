// Postgres: libpq in Swift. Connections, errors with their SQLSTATE, pipelines, replication streams and slots.
//
// Rules of this room:
// - the only one that touches libpq;
// - a `Connection` belongs to one thread, which waits for its socket in poll(2);
// - every wait has a deadline or an `Interrupt`, so nothing here can hang a stop;
// - no connection string and no password is ever part of an error.
