-- Returns how many changed, and the IDs of the subscriptions that are held.
--
-- $1 events, $2 subscriptions: the deliveries to make due now; $3 and $4 those of them that are
-- leased; $5 the table of events, $6 the time in microseconds, $7 whether they were named. Those
-- that are not what they were, or whose tenant is not settled, are left alone. Of what is pending,
-- what was named is due before others if its endpoint has failures; or else all that an open
-- breaker holds back would be written anew. What is not to be sent before a time (later) is due
-- then, and what has expired is left alone.
WITH stamp AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence($5::text, 'seq')) AS n
), k AS MATERIALIZED (
    SELECT k.seq, k.sub, s.canceled_to, e.key, e.later, h.low,
        $7::boolean AND y.failures > 0 AS first,
        EXISTS (SELECT 1 FROM unnest($3::bigint[], $4::bigint[]) AS l(seq, sub)
            WHERE l.seq = k.seq AND l.sub = k.sub) AS leased
    FROM unnest($1::bigint[], $2::bigint[]) AS k(seq, sub)
    CROSS JOIN LATERAL (
        SELECT s.canceled_to FROM outhook.subscriptions s WHERE s.num = k.sub
            AND s.status IN ('Subscribed', 'Paused', 'Unverified') AND NOT EXISTS (
                SELECT FROM outhook.unsettled_tenants t WHERE t.tenant = s.tenant) OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT e.key, CASE WHEN e.not_before > statement_timestamp()
                THEN (extract(epoch FROM e.not_before) * 1000000)::bigint + 1 END AS later
        FROM outhook.events e WHERE e.seq = k.seq AND e.erased_at IS NULL
            AND (e.expires_at IS NULL OR e.expires_at > statement_timestamp())
            AND k.sub = ANY (e.recipients) OFFSET 0) e
    CROSS JOIN LATERAL (SELECT y.failures FROM outhook.health y WHERE y.sub = k.sub OFFSET 0) y
    JOIN outhook.shares h ON h.id = k.sub % 64
    ORDER BY k.sub, k.seq
), again AS ( -- finished, or canceled and not told so
    UPDATE outhook.deliveries d SET state = 0, stamp = (SELECT n FROM stamp), base = d.attempts,
        finished_at = NULL, reason = NULL,
        behind = false, key = nullif(k.key, ''), due = coalesce(k.later, 1),
        due_since = CASE WHEN k.later IS NULL THEN statement_timestamp() END
    FROM k WHERE d.seq = k.seq AND d.sub = k.sub AND (d.state <> 0
        OR coalesce(d.stamp, d.seq) < k.canceled_to)
    RETURNING d.sub, d.seq
), rowless AS (
    INSERT INTO outhook.deliveries (sub, seq, stamp, due, due_since, key)
    SELECT k.sub, k.seq, CASE WHEN k.seq < k.canceled_to THEN (SELECT n FROM stamp) END, 1,
        statement_timestamp(), nullif(k.key, '')
    FROM k
    WHERE k.seq > k.low AND (k.seq < k.canceled_to OR k.first AND NOT k.leased)
      AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = k.sub AND d.seq = k.seq)
    RETURNING sub, seq
), sooner AS (
    UPDATE outhook.deliveries d SET due = 1, due_since = statement_timestamp()
    FROM k WHERE d.seq = k.seq AND d.sub = k.sub AND d.state = 0
        AND coalesce(d.stamp, d.seq) >= k.canceled_to
      AND (d.due > $6::bigint OR k.first AND d.due <> 1) AND NOT k.leased AND k.later IS NULL
    RETURNING d.sub, d.seq
), changed AS MATERIALIZED (
    SELECT * FROM again UNION ALL SELECT * FROM rowless UNION ALL SELECT * FROM sooner
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs)
    SELECT c.sub % 64, false, array_agg(c.sub), array_agg(c.seq) FROM changed c GROUP BY 1
)
SELECT (SELECT count(*) FROM changed), ARRAY(
    SELECT s.id FROM (SELECT DISTINCT sub FROM k) m
    CROSS JOIN LATERAL (
        SELECT 1 FROM outhook.health h WHERE h.sub = m.sub
            AND h.next_probe_at > statement_timestamp() OFFSET 0) h
    CROSS JOIN LATERAL (SELECT s.id FROM outhook.subscriptions s WHERE s.num = m.sub OFFSET 0) s)
