// Migration: the steps around the stream - expand the schema, backfill what was there before capture, verify.
//
// Rules of this room:
// - capture stands before backfill, always;
// - progress and rows commit together, so a step can be killed and run again;
// - a lock is asked for with a short timeout, again and again, never waited for without limit: whoever waits for an
//   exclusive lock makes everybody behind it wait.
