-- $1 subscriptions, $2 events, $3 tokens, $4 states, $5 retry in, $6 hold for (microseconds), $7 statuses, $8 errors,
-- $9 log lines, $10 body overrides, $11 body states; $12 whether the clerk is held, without which nothing is done when it
-- would be needed, $13 the longest gap between two failures, $14 the longest way to recover, $15 seconds in a slot of
-- tallies.
WITH o AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::int[],
        $8::text[], $9::text[], $10::bytea[], $11::smallint[])
        WITH ORDINALITY AS o(sub_id, event_id, token, state, retry_in, hold, status, error, line, body, body_state, ord)
), named AS MATERIALIZED (
    SELECT o.*, s.num AS sub, e.seq, e.erased, l.slot
    FROM o
    CROSS JOIN LATERAL (SELECT s.num FROM outhook.subscriptions s WHERE s.id = o.sub_id OFFSET 0) s
    CROSS JOIN LATERAL (SELECT e.seq, e.erased FROM outhook.events e WHERE e.id = o.event_id OFFSET 0) e
    LEFT JOIN LATERAL (
        SELECT l.slot FROM outhook.leases l
        WHERE l.slot = (o.token >> 1) & 131071 AND l.token = o.token AND l.token <> 0 AND l.sub = s.num AND l.seq = e.seq
        OFFSET 0) l ON true
), late AS MATERIALIZED ( -- successes without the present token that count all the same; of an erased event, the answer goes
    SELECT n.ord, n.sub, n.seq, n.state, n.retry_in, n.hold, n.status, n.error, n.body, n.body_state,
        CASE WHEN n.erased THEN regexp_replace(n.line, ',"response":"[A-Za-z0-9+/=]*"', '') ELSE n.line END AS line,
        (SELECT l.slot FROM outhook.leases l WHERE l.sub = n.sub AND l.seq = n.seq AND l.token <> 0) AS slot
    FROM named n WHERE n.slot IS NULL AND n.state = 'delivered' AND (
        EXISTS (SELECT 1 FROM outhook.queue q WHERE q.seq = n.seq AND q.sub = n.sub)
        OR EXISTS (SELECT 1 FROM outhook.history h WHERE h.seq = n.seq AND h.sub = n.sub AND h.state = 'canceled'))
), allowed AS MATERIALIZED (
    SELECT $12::boolean OR NOT EXISTS (SELECT 1 FROM late) AS ok
), hit AS MATERIALIZED (
    SELECT x.ord, x.slot, x.seq, x.sub, x.state, x.retry_in, x.hold, x.status, x.error, x.line,
        q.epoch, q.attempts, q.key, q.log, CASE WHEN x.body_state > 0 THEN x.body ELSE q.body END AS body,
        CASE WHEN x.body_state > 0 THEN x.body_state ELSE q.body_state END AS body_state, q.last_status, q.last_error,
        (x.state <> 'canceled')::int AS counts
    FROM (
        SELECT ord, sub, seq, state, retry_in, hold, status, error, line, body, body_state, slot FROM named WHERE slot IS NOT NULL
        UNION ALL
        SELECT ord, sub, seq, state, retry_in, hold, status, error, line, body, body_state, slot FROM late) x
    CROSS JOIN LATERAL (
        SELECT q.epoch, q.attempts, q.key, q.log, q.body, q.body_state, q.last_status, q.last_error
        FROM outhook.queue q WHERE q.seq = x.seq AND q.sub = x.sub OFFSET 0) q
    WHERE (SELECT ok FROM allowed)
), ended AS (
    DELETE FROM outhook.queue q USING hit h WHERE q.seq = h.seq AND q.sub = h.sub AND h.state <> 'pending'
), kept AS (
    INSERT INTO outhook.history (seq, sub, state, attempts, last_status, finished_at, last_error, reason, log, body, body_state)
    SELECT h.seq, h.sub, h.state, h.attempts + h.counts, CASE h.counts WHEN 1 THEN h.status ELSE h.last_status END,
        statement_timestamp(), CASE h.counts WHEN 1 THEN h.error ELSE h.last_error END,
        CASE h.counts WHEN 1 THEN '' ELSE h.error END, h.log || h.line, h.body,
        h.body_state
    FROM hit h WHERE h.state <> 'pending'
), again AS (
    UPDATE outhook.queue q SET lane = 1, due = statement_timestamp() + h.retry_in * interval '1 microsecond',
        attempts = q.attempts + 1, retry = q.retry + 1, last_status = h.status, last_error = h.error, log = q.log || h.line,
        body = h.body, body_state = h.body_state
    FROM hit h WHERE q.seq = h.seq AND q.sub = h.sub AND h.state = 'pending'
), revived AS (
    UPDATE outhook.history h SET state = 'delivered', attempts = h.attempts + 1, last_status = l.status, last_error = '', reason = '',
        finished_at = statement_timestamp(), log = h.log || l.line
    FROM late l
    WHERE h.seq = l.seq AND h.sub = l.sub AND h.state = 'canceled' AND (SELECT ok FROM allowed)
    RETURNING l.ord, h.sub
), freed AS (
    UPDATE outhook.leases l SET token = 0, leased_till = NULL FROM hit h WHERE l.slot = h.slot
), unparked AS ( -- the first of each key that stays pending; what is parked and retried is in again
    UPDATE outhook.queue q SET lane = CASE WHEN q.attempts > 0 THEN 1 ELSE 0 END
    FROM (
        SELECT k.sub, n.seq FROM (
            SELECT DISTINCT h.sub, h.epoch, h.key FROM hit h WHERE h.state <> 'pending' AND h.key <> '') k
        CROSS JOIN LATERAL (
            SELECT p.seq FROM outhook.queue p
            WHERE p.sub = k.sub AND p.epoch = k.epoch AND p.key = k.key AND p.key <> ''
              AND (p.seq, p.sub) NOT IN (SELECT h.seq, h.sub FROM hit h WHERE h.state <> 'pending')
            ORDER BY p.seq LIMIT 1) n
        WHERE (n.seq, k.sub) NOT IN (SELECT h.seq, h.sub FROM hit h)) n
    WHERE q.seq = n.seq AND q.sub = n.sub AND q.lane = 2
    RETURNING q.sub, q.seq
), counted AS MATERIALIZED (
    SELECT c.ord, c.sub, c.state = 'delivered' AS ok, c.state IN ('pending', 'dead') AS failed, c.state = 'pending' AS retry,
        CASE WHEN c.state IN ('pending', 'dead') AND c.hold > 0
            THEN statement_timestamp() + c.hold * interval '1 microsecond' END AS hold
    FROM (SELECT ord, sub, state, hold FROM hit UNION ALL SELECT ord, sub, 'delivered', 0 FROM revived) c
), base AS MATERIALIZED ( -- the health of a steady subscription stays as it is
    SELECT h.*, h.healthy AND h.slow_start = 0 AND NOT c.failed AS steady
    FROM (SELECT sub, bool_or(failed) AS failed FROM counted GROUP BY sub) c
    CROSS JOIN LATERAL (SELECT h.* FROM outhook.health h WHERE h.sub = c.sub OFFSET 0) h
), eras AS ( -- era: how many successes there were in this call, up to and with this one
    SELECT c.*, count(*) FILTER (WHERE c.ok) OVER (PARTITION BY c.sub ORDER BY c.ord) AS era
    FROM counted c JOIN base b ON b.sub = c.sub WHERE NOT b.steady
), spent AS ( -- fails: in this call, since the last success
    SELECT c.*, count(*) FILTER (WHERE c.failed) OVER w AS fails, max(c.hold) OVER w AS held
    FROM eras c WINDOW w AS (PARTITION BY c.sub, c.era ORDER BY c.ord)
), weighed AS (
    SELECT s.ord, s.sub, s.ok, s.era, s.fails, s.fails = 0 AND (s.era > 0 OR b.healthy) AS healthy,
        CASE WHEN s.era = 0 THEN b.failures ELSE 0 END + s.fails AS failures,
        CASE WHEN s.era = 0 THEN b.failing_for + CASE WHEN b.failures > 0 AND s.fails > 0 THEN
            least(greatest((extract(epoch FROM statement_timestamp() - b.last_failure) * 1000000)::bigint, 0), $13::bigint)
            ELSE 0 END ELSE 0 END AS failing_for,
        CASE WHEN s.era = 0 THEN b.probes ELSE 0 END
            + CASE WHEN s.held IS NOT NULL AND NOT (s.era = 0 AND coalesce(b.next_probe_at > statement_timestamp(), false))
              THEN 1 ELSE 0 END AS probes,
        greatest(CASE WHEN s.era = 0 THEN b.next_probe_at END, s.held) AS next_probe_at,
        b.slow_start AS recovering_before, b.failures AS failures_before
    FROM spent s JOIN base b ON b.sub = s.sub
), endings AS ( -- ended: how many failures a success ended
    SELECT w.*, lag(w.ord) OVER o AS previous,
        CASE WHEN w.ok THEN coalesce(lag(w.failures) OVER o, w.failures_before) END AS ended
    FROM weighed w WINDOW o AS (PARTITION BY w.sub ORDER BY w.ord)
), marked AS ( -- the last success that ended any: its era, and in how many steps recovery goes from there
    SELECT e.*, max(CASE WHEN e.ended > 0 THEN e.era * 1000 + least(e.ended, $14::bigint) END)
        OVER (PARTITION BY e.sub ORDER BY e.ord) AS mark
    FROM endings e
), changed AS MATERIALIZED (
    SELECT m.ord, m.previous, m.sub, m.era, m.fails, m.healthy, m.failures, m.failing_for, m.probes, m.next_probe_at,
        CASE WHEN m.fails > 0 THEN 0 ELSE
            greatest(coalesce(m.mark % 1000 - (m.era - m.mark / 1000), m.recovering_before - m.era), 0) END AS slow_start
    FROM marked m
), judged AS (
    SELECT ord, previous, sub, healthy, failures, failing_for, probes, slow_start, next_probe_at FROM changed
    UNION ALL
    SELECT c.ord, NULL, c.sub, true, 0, 0, 0, 0, NULL FROM counted c JOIN base b ON b.sub = c.sub WHERE b.steady
), final AS MATERIALIZED (
    SELECT DISTINCT ON (sub) *, CASE WHEN healthy THEN 0 WHEN failures = 0 THEN 1 ELSE 2 END AS class
    FROM changed ORDER BY sub, ord DESC
), healed AS (
    UPDATE outhook.health h SET healthy = f.healthy, failures = f.failures, failing_for = f.failing_for, probes = f.probes,
        next_probe_at = f.next_probe_at, slow_start = f.slow_start,
        last_failure = CASE WHEN f.fails > 0 THEN statement_timestamp() END
    FROM final f WHERE h.sub = f.sub AND (f.fails > 0 OR f.era > 0 AND NOT (h.healthy AND h.slow_start = f.slow_start))
), signaled AS (
    INSERT INTO outhook.signals (sub, seq, keyed)
    SELECT sub, min(seq), bool_or(keyed) FROM (
        SELECT sub, 9223372036854775807 AS seq, false AS keyed FROM counted WHERE retry
        UNION ALL
        SELECT f.sub, 9223372036854775807, false FROM final f JOIN base b USING (sub)
        WHERE f.class <> b.class OR f.next_probe_at IS DISTINCT FROM b.next_probe_at
        UNION ALL
        SELECT sub, seq, true FROM unparked) x
    GROUP BY sub
)
SELECT NOT a.ok, j.ord, j.healthy, j.failures, j.failing_for, j.probes, j.slow_start, j.next_probe_at,
    j.previous,
    b.healthy, b.failures, b.failing_for, b.probes, b.slow_start, b.next_probe_at,
    j.sub, floor(extract(epoch FROM statement_timestamp()) / $15::int)::bigint
FROM allowed a LEFT JOIN judged j ON true LEFT JOIN base b ON b.sub = j.sub
