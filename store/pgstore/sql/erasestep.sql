-- $1 an erased event, $2 after this subscription, $3 how many deliveries. Returns how many were looked at, and the last.
WITH r AS MATERIALIZED (
    SELECT e.seq, u.sub, e.erased_at, h.low
    FROM outhook.events e CROSS JOIN LATERAL unnest(e.recipients) AS u(sub)
    JOIN outhook.subscriptions s ON s.num = u.sub
    JOIN outhook.shares h ON h.id = u.sub % 64
    WHERE e.seq = $1 AND u.sub > $2::bigint ORDER BY u.sub LIMIT $3::int
), ended AS (
    UPDATE outhook.deliveries d SET body = NULL, answers = NULL, finished_at = CASE d.state WHEN 0 THEN r.erased_at ELSE d.finished_at END,
        reason = CASE d.state WHEN 0 THEN 'erased' ELSE d.reason END, state = CASE d.state WHEN 0 THEN 3 ELSE d.state END, behind = false
    FROM r WHERE d.sub = r.sub AND d.seq = r.seq AND (d.state = 0 OR d.body IS NOT NULL OR d.answers IS NOT NULL)
    RETURNING d.sub, d.seq
), rowless AS (
    INSERT INTO outhook.deliveries (sub, seq, state, finished_at, reason)
    SELECT r.sub, r.seq, 3, r.erased_at, 'erased' FROM r
    WHERE r.seq > r.low AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = r.seq)
    ON CONFLICT DO NOTHING
    RETURNING sub, seq
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs)
    SELECT c.sub % 64, false, array_agg(c.sub), array_agg(c.seq)
    FROM (SELECT * FROM ended UNION ALL SELECT * FROM rowless) c GROUP BY 1
)
SELECT count(*), coalesce(max(sub), 0) FROM r
