/// The slot definition of the demonstration: the text of `slots/transaction-state.yaml`, to the byte.
enum DemoSlot {
  static let yaml = """
    # Derives transactions.state_id, a foreign key to transaction_state, from the text in transactions.status.
    #
    #   crossfade check slots/transaction-state.yaml    is everything in place?
    #   crossfade run   slots/transaction-state.yaml    do it
    #
    # docs/slot-definition.md describes every key.

    version: 1
    slot: crossfade_transaction_state
    publication: crossfade_transaction_state

    source:
      # A conninfo string or a URI, as psql takes it: CROSSFADE_SOURCE='host=db.internal dbname=ledger user=crossfade'.
      # Leave the password to PGPASSWORD, ~/.pgpass or a service file.
      connection: ${CROSSFADE_SOURCE}

    derive:
      layout: in-place
      table: public.transactions
      key: [id]
      from: status
      to: state_id
      map:
        table: public.transaction_state
        id: id
        code: code
        status: legacy_status
        # The old texts to the byte, as years of card processing left them: case and spaces count.
        states:
          - {id: 1, code: authorized, status: AUTH}
          - {id: 2, code: captured, status: CAPTURED}
          - {id: 3, code: settled, status: Settled}
          - {id: 4, code: declined, status: DECLINED}
          - {id: 5, code: reversed, status: reversed}
          - {id: 6, code: refunded, status: REFUNDED}
          - {id: 7, code: chargeback, status: CHARGE BACK}
          - {id: 8, code: expired, status: EXPIRED}

    log:
      directory: ${CROSSFADE_LOG:-/var/lib/crossfade/transaction-state}
      segment: 64MiB

    confirm: logged

    write:
      batch: 5000
      lock_timeout: 100ms
      statement_timeout: 30s
      synchronous_commit: off   # rows and checkpoint are in one commit: a crash loses both or neither

    backfill:
      batch: 1000
      pause: 10ms  # leaves the application room: 40,000 rows a second at most

    """
}
