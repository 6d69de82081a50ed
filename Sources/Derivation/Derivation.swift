// Derivation says what is derived from what: the slot definition read from YAML, the map from legacy statuses
// to states, and the SQL names they speak of. Everything here is a value; nothing opens a file or a socket.
