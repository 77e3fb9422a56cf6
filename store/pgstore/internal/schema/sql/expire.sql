-- $1 subscriptions, $2 events: of those that are pending though their event has expired, the rows
-- say from now on that they are canceled.
WITH r AS MATERIALIZED (
    SELECT u.sub, u.seq, e.expires_at, s.canceled_to
    FROM unnest($1::bigint[], $2::bigint[]) AS u(sub, seq)
    CROSS JOIN LATERAL (
        SELECT e.expires_at FROM outhook.events e WHERE e.seq = u.seq AND e.erased_at IS NULL
            AND e.expires_at <= statement_timestamp() OFFSET 0) e
    CROSS JOIN LATERAL (
        SELECT s.canceled_to FROM outhook.subscriptions s WHERE s.num = u.sub OFFSET 0) s
    ORDER BY u.sub, u.seq
), ended AS (
    UPDATE outhook.deliveries d SET state = 3, finished_at = r.expires_at, reason = 'expired',
        behind = false
    FROM r WHERE d.sub = r.sub AND d.seq = r.seq AND d.state = 0
        AND coalesce(d.stamp, d.seq) >= r.canceled_to
    RETURNING d.sub, d.seq
)
INSERT INTO outhook.notices (share, fresh, subs, seqs)
SELECT sub % 64, false, array_agg(sub), array_agg(seq) FROM ended GROUP BY 1
