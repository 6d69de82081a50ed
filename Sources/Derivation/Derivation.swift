// Derivation
