// DualWrite: change log -> target. Keys whose rows changed are re-derived from the row as it now stands, in batches
// whose checkpoint commits with them.
//
// Rules of this room:
// - applying twice, late or out of order converges: the statement reads the row and writes only what differs;
// - the checkpoint moves in the same commit, and only past transactions that the target's snapshot can see;
// - a status the map does not know is quarantined with its position, never guessed, never dropped;
// - what decides (`BatchBuilder`, `KeyTable`) is a value without socket or clock.
