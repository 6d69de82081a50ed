import Postgres

extension LedgerFixture {
  /// Makes the role this fixture connects as: REPLICATION and what the tables need, no more. The publication is made by
  /// the tables' owner, as such a role may not.
  func makePlainRole() throws {
    guard let user else { return }
    let role = SQLText.identifier(user)
    try connect().script(
      """
      CREATE ROLE \(role) LOGIN REPLICATION;
      GRANT SELECT, UPDATE (state_id) ON public.transactions TO \(role);
      GRANT SELECT ON public.transaction_state TO \(role);
      GRANT USAGE ON SCHEMA crossfade TO \(role);
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA crossfade TO \(role);
      CREATE PUBLICATION \(slot) FOR TABLE public.transactions (id, status, state_id)
      """, purpose: "make a role")
  }
}
