-- Returns how many changed, and the IDs of the subscriptions that are held.
--
-- $1 events, $2 subscriptions: the deliveries to make due now; $3 and $4 those of them that are
-- leased; $5 the table of events, $6 the time in microseconds. Those that are not what they were
-- are left alone.
WITH stamp AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence($5::text, 'seq')) AS n
), k AS MATERIALIZED (
    SELECT k.seq, k.sub, s.canceled_to, e.key, h.low
    FROM unnest($1::bigint[], $2::bigint[]) AS k(seq, sub)
    CROSS JOIN LATERAL (
        SELECT s.canceled_to FROM outhook.subscriptions s WHERE s.num = k.sub AND s.status = 'Subscribed' OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT e.key FROM outhook.events e WHERE e.seq = k.seq AND e.erased_at IS NULL AND k.sub = ANY (e.recipients) OFFSET 0) e
    JOIN outhook.shares h ON h.id = k.sub % 64
), again AS ( -- finished, or canceled and not told so
    UPDATE outhook.deliveries d SET state = 0, stamp = (SELECT n FROM stamp), base = d.attempts, finished_at = NULL, reason = NULL,
        behind = false, key = nullif(k.key, ''), due = CASE WHEN d.attempts > 0 THEN $6::bigint ELSE 0 END
    FROM k WHERE d.seq = k.seq AND d.sub = k.sub AND (d.state <> 0 OR coalesce(d.stamp, d.seq) < k.canceled_to)
    RETURNING d.sub, d.seq
), rowless AS (
    INSERT INTO outhook.deliveries (sub, seq, stamp, due, key)
    SELECT k.sub, k.seq, (SELECT n FROM stamp), 0, nullif(k.key, '') FROM k
    WHERE k.seq > k.low AND k.seq < k.canceled_to
      AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = k.sub AND d.seq = k.seq)
    RETURNING sub, seq
), sooner AS (
    UPDATE outhook.deliveries d SET due = $6
    FROM k WHERE d.seq = k.seq AND d.sub = k.sub AND d.state = 0 AND coalesce(d.stamp, d.seq) >= k.canceled_to AND d.due > $6
      AND NOT EXISTS (SELECT 1 FROM unnest($3::bigint[], $4::bigint[]) AS l(seq, sub) WHERE l.seq = d.seq AND l.sub = d.sub)
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
        SELECT 1 FROM outhook.health h WHERE h.sub = m.sub AND h.next_probe_at > statement_timestamp() OFFSET 0) h
    CROSS JOIN LATERAL (SELECT s.id FROM outhook.subscriptions s WHERE s.num = m.sub OFFSET 0) s)
