-- Takes in what the signals, leases that have run out, and subscriptions whose time has come say.
WITH signaled AS (
    DELETE FROM outhook.signals WHERE ctid = ANY (ARRAY(SELECT ctid FROM outhook.signals LIMIT 20000))
    RETURNING sub, seq, keyed
), news AS MATERIALIZED (
    SELECT sub, min(seq) AS seq, bool_or(keyed) AS keyed FROM (
        SELECT sub, seq, keyed FROM signaled
        UNION ALL
        SELECT sub, seq, false FROM outhook.leases WHERE token <> 0 AND leased_till <= statement_timestamp()
        UNION ALL
        (SELECT sub, 9223372036854775807, false FROM outhook.turns
         WHERE due IS NOT NULL AND due <= statement_timestamp() ORDER BY due LIMIT 1000)
    ) x GROUP BY sub
), state AS MATERIALIZED (
    SELECT n.sub, n.seq, n.keyed, h.class, h.held, row_number() OVER (ORDER BY n.seq, n.sub) AS i,
        CASE WHEN NOT h.held THEN (
            SELECT q.due FROM outhook.queue q
            WHERE q.sub = n.sub AND q.epoch = t.epoch AND q.lane = 1 AND q.due > statement_timestamp()
            ORDER BY q.due, q.seq LIMIT 1)
        WHEN EXISTS (SELECT 1 FROM outhook.queue q WHERE q.sub = n.sub AND q.epoch = t.epoch) THEN h.next_probe_at
        END AS due
    FROM news n
    CROSS JOIN LATERAL (SELECT t.epoch FROM outhook.turns t WHERE t.sub = n.sub OFFSET 0) t
    CROSS JOIN LATERAL (
        SELECT h.class, h.next_probe_at, coalesce(h.next_probe_at > statement_timestamp(), false) AS held
        FROM outhook.health h WHERE h.sub = n.sub OFFSET 0) h
), moved AS (
    UPDATE outhook.turns t SET
        ready = NOT s.held,
        due = s.due,
        class = s.class,
        seat = CASE WHEN t.ready AND t.class = s.class THEN t.seat ELSE c.turn + s.i END,
        next = least(t.next, s.seq),
        keyed = t.keyed OR s.keyed
    FROM state s, outhook.clerk c
    WHERE t.sub = s.sub
      AND (t.ready, t.class, t.due, t.next, t.keyed) IS DISTINCT FROM
          (NOT s.held, s.class, s.due, least(t.next, s.seq), t.keyed OR s.keyed)
)
UPDATE outhook.clerk SET turn = turn + (SELECT count(*) FROM state) WHERE EXISTS (SELECT 1 FROM state)
