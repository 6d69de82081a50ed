// DualWrite
