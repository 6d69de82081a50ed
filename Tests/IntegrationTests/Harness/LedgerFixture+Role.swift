import LocalCluster
import Postgres
import Testing

extension LedgerFixture {
  /// The server's major version.
  var major: Int { cluster.installation.majorVersion }

  /// Makes the role this fixture connects as: REPLICATION and what the tables need, no more. The publication is made by
  /// the tables' owner, as such a role may not.
  ///
  /// - Parameter lendingMark: whether on 13 it also gets what `check` tells a superuser to run.
  func makePlainRole(lendingMark: Bool = true) throws {
    guard let user else { return }
    let role = SQLText.identifier(user)
    try connect().script(
      """
      CREATE ROLE \(role) LOGIN REPLICATION;
      GRANT SELECT, UPDATE (state_id) ON public.transactions TO \(role);
      GRANT SELECT ON public.transaction_state TO \(role);
      GRANT USAGE ON SCHEMA crossfade TO \(role);
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO \(role)
      """, purpose: "make a role")
    try makePublication()
    if lendingMark, major < 14 { try lendMark() }
  }

  private func lendMark() throws {
    let check = try command("check").output
    let offer = "fix: as a superuser: "
    let fix = try #require(check.split(separator: "\n").first { $0.contains(offer) }, "\(check)")
    try connect().script(String(fix.drop { $0 == " " }.dropFirst(offer.count)), purpose: "lend the mark")
  }

  /// The publication as the tables' owner makes it: with the columns the slot needs, where they can be listed.
  func makePublication() throws {
    let columns = major >= 15 ? " (id, status, state_id)" : ""
    try connect().script(
      "CREATE PUBLICATION \(slot) FOR TABLE public.transactions\(columns)", purpose: "make a publication")
  }
}
