// Capture: replication slot -> change log, and nothing else.
//
// Rules of this room:
// - what is confirmed to the slot is durable in the log first, watermarks included;
// - the thread that reads the socket never waits for a disk without answering the server meanwhile;
// - what decides (`StreamFramer`, `Feedback`, `OriginGuard`) is a value without socket, file or clock.
