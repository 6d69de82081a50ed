import Glibc

/// Sleep that nothing ends.
enum Nap {
  static func take(milliseconds: Int) { usleep(UInt32(clamping: max(0, milliseconds) * 1000)) }
}
