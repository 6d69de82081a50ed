// ChangeLog: captured records on disk, in LZ4 segments that any lz4 can unpack; append, sync, recover, read, verify.
//
// Rules of this room:
// - nothing counts as held before `sync` has returned, and a sync that failed is final;
// - a torn end is cut back to the last whole transaction; damage anywhere else is an error, never skipped;
// - a position belongs to an origin, and a log to one origin only.
