public import ChangeLog
import Glibc

extension PreparedTransaction {
  /// The prepared transactions whose changes wait in the spool beside a log, the oldest first; also while another process
  /// writes it, or none does. One that is settled at this moment is passed over.
  public static func pending(logDirectory: String) throws(ChangeLogError) -> [PreparedTransaction] {
    let directory = logDirectory + "/spool"
    var found: [PreparedTransaction] = []
    for name in try Directory.names(in: directory) {
      guard case .prepared = SpoolDirectory.kind(of: name) else { continue }
      do throws(ChangeLogError) {
        let scanner = try SpoolScanner(path: "\(directory)/\(name)", calls: .system, readsData: false)
        found.append(try scanner.scan().transaction)
      } catch {
        if case .io("open", _, ENOENT) = error { continue }
        throw error
      }
    }
    return found.sorted { $0.prepareLSN < $1.prepareLSN }
  }
}
