import Glibc

/// Asks `condition` again and again, at first after half a millisecond and later every ten, until it holds or `limit`
/// is over. Answers whether it held.
///
/// Blocks the calling thread. The condition is asked at least once, and once more when the time is up.
public func eventually<Failure: Error>(
  within limit: Duration, _ condition: () throws(Failure) -> Bool
) throws(Failure) -> Bool {
  let end = ContinuousClock.now + limit
  var pause_us: UInt32 = 500
  while true {
    let isLast = ContinuousClock.now >= end
    if try condition() { return true }
    if isLast { return false }
    usleep(pause_us)
    pause_us = min(pause_us * 2, 10_000)
  }
}
