/// What a call does instead of what it was asked.
package enum DiskFault: Hashable, Sendable {
  /// It fails with this error. A write has put half of it there; a sync has put any of it there, and will put none of
  /// the rest.
  case fails(Int32)
  /// A write writes half.
  case short
  /// The process is killed there: a write writes half, and no call does anything any more.
  case death
}
