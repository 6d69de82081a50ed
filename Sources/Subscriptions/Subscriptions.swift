// Subscriptions: what is served over HTTP to those who ask - where a slot stands, which column to read.
//
// Rules of this room:
// - nobody beyond this machine is served without TLS and a token; a token is for the slots it names;
// - whoever is slow slows himself alone;
// - an error is a problem document (RFC 9457), never a bare number.
