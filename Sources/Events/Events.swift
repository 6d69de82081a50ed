// Events: what the change log says of a slot's table, as normalized events for those who subscribe: read, filtered, written as
// CloudEvents or in Debezium's envelope, followed.
//
// Rules of this room:
// - the log is the only source; an event is the same, byte for byte, whoever reads it and from wherever (under the same map),
//   but for what was before: where the log has no old row, that is told as far back as is remembered;
// - one committed row change gives one event, in the order of commits; its id is its position. So does each row that a
//   transaction of Crossfade's own tells to have corrected; a message that says so anywhere else is nothing;
// - what the log does not tell is left out, never guessed; where changes may be missing stands an event that says so;
// - memory is bounded: of the log one frame, of the events none, of rows a table of a set size.
