-- $1 subscriptions, $2 events, $3 tokens, $4 states, $5 retry in, $6 hold for (microseconds), $7 statuses, $8 errors,
-- $9 log lines; $10 whether the clerk is held, without which nothing is done when it would be needed, $11 the longest gap between two failures.
WITH o AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::int[],
        $8::text[], $9::text[]) WITH ORDINALITY AS o(sub_id, event_id, token, state, retry_in, hold, status, error, line, ord)
), named AS MATERIALIZED (
    SELECT o.*, s.num AS sub, e.seq, l.slot
    FROM o
    CROSS JOIN LATERAL (SELECT s.num FROM outhook.subscriptions s WHERE s.id = o.sub_id OFFSET 0) s
    CROSS JOIN LATERAL (SELECT e.seq FROM outhook.events e WHERE e.id = o.event_id OFFSET 0) e
    LEFT JOIN LATERAL (
        SELECT l.slot FROM outhook.leases l
        WHERE l.slot = (o.token >> 1) & 131071 AND l.token = o.token AND l.token <> 0 AND l.sub = s.num AND l.seq = e.seq
        OFFSET 0) l ON true
), late AS MATERIALIZED ( -- successes without the present token that count all the same
    SELECT n.ord, n.sub, n.seq, n.state, n.retry_in, n.hold, n.status, n.error, n.line,
        (SELECT l.slot FROM outhook.leases l WHERE l.sub = n.sub AND l.seq = n.seq AND l.token <> 0) AS slot
    FROM named n WHERE n.slot IS NULL AND n.state = 'delivered' AND (
        EXISTS (SELECT 1 FROM outhook.queue q WHERE q.seq = n.seq AND q.sub = n.sub)
        OR EXISTS (SELECT 1 FROM outhook.history h WHERE h.seq = n.seq AND h.sub = n.sub AND h.state = 'canceled'))
), allowed AS MATERIALIZED (
    SELECT $10::boolean OR NOT EXISTS (SELECT 1 FROM late) AS ok
), hit AS MATERIALIZED (
    SELECT x.ord, x.slot, x.seq, x.sub, x.state, x.retry_in, x.hold, x.status, x.error, x.line,
        q.epoch, q.attempts, q.key, q.log
    FROM (
        SELECT ord, sub, seq, state, retry_in, hold, status, error, line, slot FROM named WHERE slot IS NOT NULL
        UNION ALL
        SELECT ord, sub, seq, state, retry_in, hold, status, error, line, slot FROM late) x
    CROSS JOIN LATERAL (
        SELECT q.epoch, q.attempts, q.key, q.log FROM outhook.queue q WHERE q.seq = x.seq AND q.sub = x.sub OFFSET 0) q
    WHERE (SELECT ok FROM allowed)
), ended AS (
    DELETE FROM outhook.queue q USING hit h WHERE q.seq = h.seq AND q.sub = h.sub AND h.state <> 'pending'
), kept AS (
    INSERT INTO outhook.history (seq, sub, state, attempts, last_status, finished_at, last_error, log)
    SELECT h.seq, h.sub, h.state, h.attempts + 1, h.status, statement_timestamp(), h.error, h.log || h.line
    FROM hit h WHERE h.state <> 'pending'
), again AS (
    UPDATE outhook.queue q SET lane = 1, due = statement_timestamp() + h.retry_in * interval '1 microsecond',
        attempts = q.attempts + 1, retry = q.retry + 1, last_status = h.status, last_error = h.error, log = q.log || h.line
    FROM hit h WHERE q.seq = h.seq AND q.sub = h.sub AND h.state = 'pending'
), revived AS (
    UPDATE outhook.history h SET state = 'delivered', attempts = h.attempts + 1, last_status = l.status, last_error = '', reason = '',
        finished_at = statement_timestamp(), log = h.log || l.line
    FROM late l
    WHERE h.seq = l.seq AND h.sub = l.sub AND h.state = 'canceled' AND (SELECT ok FROM allowed)
    RETURNING l.ord, h.sub
), freed AS (
    UPDATE outhook.leases l SET token = 0, leased_till = NULL FROM hit h WHERE l.slot = h.slot
), unparked AS (
    UPDATE outhook.queue q SET lane = CASE WHEN q.attempts > 0 THEN 1 ELSE 0 END
    FROM (
        SELECT h.sub, n.seq FROM hit h
        CROSS JOIN LATERAL (
            SELECT p.seq FROM outhook.queue p
            WHERE p.sub = h.sub AND p.epoch = h.epoch AND p.key = h.key AND p.key <> '' AND p.seq <> h.seq
            ORDER BY p.seq LIMIT 1) n
        WHERE h.state <> 'pending' AND h.key <> '') n
    WHERE q.seq = n.seq AND q.sub = n.sub AND q.lane = 2
    RETURNING q.sub, q.seq
), counted AS MATERIALIZED ( -- era: how many successes there were in this call, up to and with this one
    SELECT c.ord, c.sub, c.state = 'delivered' AS ok, c.state = 'pending' AS retry,
        CASE WHEN c.state <> 'delivered' AND c.hold > 0 THEN statement_timestamp() + c.hold * interval '1 microsecond' END AS hold,
        sum(CASE WHEN c.state = 'delivered' THEN 1 ELSE 0 END) OVER (PARTITION BY c.sub ORDER BY c.ord) AS era
    FROM (SELECT ord, sub, state, hold FROM hit UNION ALL SELECT ord, sub, 'delivered', 0 FROM revived) c
), base AS MATERIALIZED (
    SELECT h.* FROM (SELECT DISTINCT sub FROM counted) c
    CROSS JOIN LATERAL (SELECT h.* FROM outhook.health h WHERE h.sub = c.sub OFFSET 0) h
), judged AS MATERIALIZED (
    SELECT c.ord, c.sub, c.ok AS proven,
        CASE WHEN c.era = 0 THEN b.failures ELSE 0 END + count(*) FILTER (WHERE NOT c.ok) OVER w AS failures,
        CASE WHEN c.era = 0 THEN b.failing_for + CASE WHEN b.failures > 0 THEN
            least(greatest((extract(epoch FROM statement_timestamp() - b.last_failure) * 1000000)::bigint, 0), $11::bigint)
            ELSE 0 END ELSE 0 END AS failing_for,
        CASE WHEN c.era = 0 THEN b.holds ELSE 0 END
            + CASE WHEN count(c.hold) OVER w > 0 AND NOT (c.era = 0 AND coalesce(b.held_until > statement_timestamp(), false))
              THEN 1 ELSE 0 END AS holds,
        greatest(CASE WHEN c.era = 0 THEN b.held_until END, max(c.hold) OVER w) AS held_until
    FROM counted c JOIN base b ON b.sub = c.sub
    WINDOW w AS (PARTITION BY c.sub, c.era ORDER BY c.ord)
), final AS MATERIALIZED (
    SELECT DISTINCT ON (sub) * FROM judged ORDER BY sub, ord DESC
), healed AS (
    UPDATE outhook.health h SET proven = f.proven, failures = f.failures, failing_for = f.failing_for, holds = f.holds,
        held_until = f.held_until, last_failure = CASE WHEN f.proven THEN NULL ELSE statement_timestamp() END
    FROM final f WHERE h.sub = f.sub AND NOT (h.proven AND f.proven)
), signaled AS (
    INSERT INTO outhook.signals (sub, seq, keyed)
    SELECT sub, min(seq), bool_or(keyed) FROM (
        SELECT sub, 9223372036854775807 AS seq, false AS keyed FROM counted WHERE retry
        UNION ALL
        SELECT f.sub, 9223372036854775807, false FROM final f JOIN base b USING (sub)
        WHERE f.proven <> b.proven OR f.held_until IS DISTINCT FROM b.held_until
        UNION ALL
        SELECT sub, seq, true FROM unparked) x
    GROUP BY sub
)
SELECT NOT a.ok, j.ord, j.proven, j.failures, j.failing_for, j.holds, j.held_until,
    lag(j.ord) OVER (PARTITION BY j.sub ORDER BY j.ord),
    b.proven, b.failures, b.failing_for, b.holds, b.held_until
FROM allowed a LEFT JOIN judged j ON true LEFT JOIN base b ON b.sub = j.sub
