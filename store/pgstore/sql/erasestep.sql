-- $1 an erased event, $2 after this subscription, $3 how many deliveries. Returns how many were looked at, and the last.
WITH r AS MATERIALIZED ( -- what was canceled before stays so
    SELECT e.seq, u.sub, h.low, d.seq IS NOT NULL AS there, coalesce(c.at, e.erased_at) AS at, coalesce(c.reason, 'erased') AS reason
    FROM outhook.events e CROSS JOIN LATERAL unnest(e.recipients) AS u(sub)
    JOIN outhook.subscriptions s ON s.num = u.sub
    JOIN outhook.shares h ON h.id = u.sub % 64
    LEFT JOIN outhook.deliveries d ON d.sub = u.sub AND d.seq = e.seq
    LEFT JOIN LATERAL (
        SELECT c.at, c.reason FROM outhook.cancellations c
        WHERE c.sub = u.sub AND c.before > coalesce(d.stamp, e.seq) AND c.at <= e.erased_at ORDER BY c.before LIMIT 1) c ON true
    WHERE e.seq = $1 AND u.sub > $2::bigint ORDER BY u.sub LIMIT $3::int
), ended AS (
    UPDATE outhook.deliveries d SET body = NULL, answers = NULL, behind = false,
        finished_at = CASE d.state WHEN 0 THEN r.at ELSE d.finished_at END,
        reason = CASE d.state WHEN 0 THEN r.reason ELSE d.reason END, state = CASE d.state WHEN 0 THEN 3 ELSE d.state END
    FROM r WHERE d.sub = r.sub AND d.seq = r.seq AND (d.state = 0 OR d.body IS NOT NULL OR d.answers IS NOT NULL)
    RETURNING d.sub, d.seq
), rowless AS (
    INSERT INTO outhook.deliveries (sub, seq, state, finished_at, reason)
    SELECT r.sub, r.seq, 3, r.at, r.reason FROM r WHERE NOT r.there AND r.seq > r.low
    ON CONFLICT DO NOTHING
    RETURNING sub, seq
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs)
    SELECT c.sub % 64, false, array_agg(c.sub), array_agg(c.seq)
    FROM (SELECT * FROM ended UNION ALL SELECT * FROM rowless) c GROUP BY 1
)
SELECT count(*), coalesce(max(sub), 0) FROM r
