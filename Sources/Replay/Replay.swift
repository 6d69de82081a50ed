// Replay: re-derives what a range of the log says, months later and on another machine if need be: prints it, compares it
// with what the target now holds, or repairs the target.
//
// Rules of this room:
// - the log is the only source: neither slot nor server is asked what changed;
// - nothing is missing silently: damage ends a replay, or is crossed on demand and told as a gap;
// - a difference is one only when no later change explains it, in the log or on its way there;
// - memory is bounded, however many keys a range has: so many in a window, so many that differ;
// - a repair writes the new column only, from the row as it stands, and its position in the same commit.
