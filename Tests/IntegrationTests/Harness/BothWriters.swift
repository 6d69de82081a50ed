import LocalCluster
import Postgres

/// Old, new and mixed writers on one table, and what each meant: a mirror written in the same transaction.
///
/// A writer sets what it does not find set already: an assignment that changes nothing is seen by nobody.
final class BothWriters: Sendable {
  /// What the writers did.
  struct Tally: Sendable {
    var transactions = 0
    /// Rows inserted or updated, as the stream has them.
    var changes = 0
    var failures: [String] = []
  }

  private let workers: [Worker<Tally>]
  private let interrupt: Interrupt

  /// The mirror, and what the writers call.
  ///
  /// - Parameter type: of the old column.
  static func schema(_ type: String = "text") -> String {
    """
    CREATE TABLE public.mirror (id bigint PRIMARY KEY, meant bigint NOT NULL);
    CREATE FUNCTION public.text_of(v bigint) RETURNS \(type) LANGUAGE sql STABLE AS
      'SELECT legacy_status::text::\(type) FROM public.transaction_state WHERE id = v';
    """ + acts
  }

  private static let acts = """

    CREATE FUNCTION public.act_plain(kind text, k bigint, v bigint) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN
      CASE kind
      WHEN 'old' THEN
        UPDATE public.transactions SET status = text_of(v) WHERE id = k AND status IS DISTINCT FROM text_of(v);
        IF FOUND THEN UPDATE public.mirror SET meant = v WHERE id = k; RETURN 1; END IF;
      WHEN 'new' THEN
        UPDATE public.transactions SET state_id = v WHERE id = k AND state_id IS DISTINCT FROM v;
        IF FOUND THEN UPDATE public.mirror SET meant = v WHERE id = k; RETURN 1; END IF;
      WHEN 'mixed' THEN
        UPDATE public.transactions SET status = text_of(v), state_id = v
         WHERE id = k AND (status IS DISTINCT FROM text_of(v) OR state_id IS DISTINCT FROM v);
        IF FOUND THEN UPDATE public.mirror SET meant = v WHERE id = k; RETURN 1; END IF;
      WHEN 'other' THEN
        UPDATE public.transactions SET amount_cents = amount_cents + 1 WHERE id = k;
        IF FOUND THEN RETURN 1; END IF;
      WHEN 'delete' THEN
        DELETE FROM public.transactions WHERE id = k;
        IF FOUND THEN DELETE FROM public.mirror WHERE id = k; END IF;
      WHEN 'insert-old' THEN
        INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, status)
        VALUES (k, 'c', 1, 1, 'EUR', text_of(v)) ON CONFLICT DO NOTHING;
        IF FOUND THEN INSERT INTO public.mirror VALUES (k, v); RETURN 1; END IF;
      WHEN 'insert-new' THEN
        INSERT INTO public.transactions (id, card_token, merchant_id, amount_cents, currency, state_id)
        VALUES (k, 'c', 1, 1, 'EUR', v) ON CONFLICT DO NOTHING;
        IF FOUND THEN INSERT INTO public.mirror VALUES (k, v); RETURN 1; END IF;
      WHEN 'move' THEN
        UPDATE public.transactions SET id = v
         WHERE id = k AND NOT EXISTS (SELECT FROM public.transactions WHERE id = v);
        IF FOUND THEN UPDATE public.mirror SET id = v WHERE id = k; RETURN 1; END IF;
      WHEN 'undone' THEN
        BEGIN
          UPDATE public.transactions SET state_id = v WHERE id = k;
          RAISE division_by_zero;
        EXCEPTION WHEN division_by_zero THEN NULL;
        END;
        RETURN act_plain('old', k, v);
      END CASE;
      RETURN 0;
    END $$;
    CREATE FUNCTION public.act(kind text, k bigint, v bigint, sub boolean) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN
      IF NOT sub THEN RETURN public.act_plain(kind, k, v); END IF;
      BEGIN
        RETURN public.act_plain(kind, k, v);
      EXCEPTION WHEN division_by_zero THEN RETURN 0;
      END;
    END $$;
    INSERT INTO public.mirror SELECT id, state_id FROM public.transactions;
    """

  /// How many rows differ from what was meant, in either column.
  static let differences = """
    SELECT count(*) FROM public.transactions AS t FULL JOIN public.mirror AS m USING (id)
     WHERE t.state_id IS DISTINCT FROM m.meant OR t.status IS DISTINCT FROM public.text_of(m.meant)
    """

  /// Starts writers on the rows 1 to `rows`; each has two keys of its own besides, for rows that come, move and go.
  init(_ count: Int, rows: Int, conninfo: String, seed: UInt64) throws {
    guard let interrupt = Interrupt() else {
      throw PostgresError.unexpected(purpose: "start the writers", what: "no pipe")
    }
    self.interrupt = interrupt
    workers = (0..<count).map { writer in
      Worker { Self.write(writer, rows, conninfo, seed &+ UInt64(writer), interrupt) }
    }
  }

  /// Stops them; what they did.
  func stop() async -> Tally {
    interrupt.stop()
    var all = Tally()
    for worker in workers {
      let tally = await worker.value
      all.transactions += tally.transactions
      all.changes += tally.changes
      all.failures += tally.failures
    }
    return all
  }

  private static func write(
    _ writer: Int, _ rows: Int, _ conninfo: String, _ seed: UInt64, _ interrupt: Interrupt
  ) -> Tally {
    var tally = Tally()
    var generator = SeededGenerator(seed: seed)
    let own = Int64(100_000 + writer * 10)
    do {
      let session = try Connection(conninfo, options: .init(applicationName: "writer \(writer)"))
      while !interrupt.isStopped {
        let sql = statement(&generator, rows, own)
        do {
          let result = try session.query(sql, purpose: "write")
          tally.transactions += 1
          tally.changes += result.integer(0, 0).map { Int($0) } ?? 0
        } catch {
          tally.failures.append("\(error)")
          if error.isConnectionGone { return tally }
        }
        if interrupt.wait(milliseconds: Int.random(in: 0...3, using: &generator)) { break }
      }
    } catch {
      tally.failures.append("\(error)")
    }
    return tally
  }

  /// One transaction of one to three acts, keys ascending.
  private static func statement(_ generator: inout SeededGenerator, _ rows: Int, _ own: Int64) -> String {
    var acts: [(key: Int64, sql: String)] = []
    for _ in 0..<Int.random(in: 1...3, using: &generator) {
      let value = Int.random(in: 1...8, using: &generator)
      let sub = Bool.random(using: &generator)
      let key = Int64.random(in: 1...Int64(rows), using: &generator)
      let kind: String
      switch Int.random(in: 0..<20, using: &generator) {
      case 0..<6: kind = "old"
      case 6..<12: kind = "new"
      case 12: kind = "mixed"
      case 13, 14: kind = "other"
      case 15: kind = "undone"
      case 16: acts.append((own, "act('move', \(own), \(own + 1), \(sub))")); continue
      case 17:
        acts.append(
          (
            own,
            "act('\(Bool.random(using: &generator) ? "insert-old" : "insert-new")', \(own), \(value), \(sub))"
          ));
        continue
      case 18: acts.append((own + 1, "act('delete', \(own + 1), 0, \(sub))")); continue
      default: kind = Bool.random(using: &generator) ? "insert-old" : "delete"
      }
      acts.append((key, "act('\(kind)', \(key), \(value), \(sub))"))
    }
    // Evaluated in their order: a select list is.
    let ordered = acts.sorted { $0.key < $1.key }.map { "public." + $0.sql }
    return "SELECT " + ordered.joined(separator: " + ")
  }
}
