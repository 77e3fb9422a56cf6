-- $1 an erased event, $2 how many of its deliveries are told that they are over: those after the
-- last that were. Returns how many there were. What was canceled before stays as it is. A delivery
-- without a row gets one only above the low mark: below it is over, and forgotten. The step after
-- the last finds nothing, and removes the erasure. A Finish that has written the first outcome of a
-- delivery meanwhile is waited for by the INSERT, and its row is told as those that were there.
WITH m AS MATERIALIZED (
    SELECT m.seq, m.told FROM outhook.erasures m WHERE m.seq = $1
), r AS MATERIALIZED (
    SELECT e.seq, u.sub, h.low, d.seq IS NOT NULL AS there,
        least(coalesce(c.at, e.erased_at), e.expires_at) AS at,
        CASE WHEN e.expires_at < coalesce(c.at, e.erased_at) THEN 'expired'
            ELSE coalesce(c.reason, 'erased') END AS reason
    FROM m JOIN outhook.events e ON e.seq = m.seq
    CROSS JOIN LATERAL unnest(e.recipients) AS u(sub)
    JOIN outhook.subscriptions s ON s.num = u.sub
    JOIN outhook.shares h ON h.id = u.sub % 64
    LEFT JOIN outhook.deliveries d ON d.sub = u.sub AND d.seq = e.seq
    LEFT JOIN LATERAL (
        SELECT c.at, c.reason FROM outhook.cancellations c
        WHERE c.sub = u.sub AND c.before > coalesce(d.stamp, e.seq) AND c.at <= e.erased_at
            ORDER BY c.before LIMIT 1) c ON true
    WHERE u.sub > m.told ORDER BY u.sub LIMIT $2::int
), ended AS (
    UPDATE outhook.deliveries d SET body = NULL, answers = NULL, behind = false,
        finished_at = CASE d.state WHEN 0 THEN r.at ELSE d.finished_at END,
        reason = CASE d.state WHEN 0 THEN r.reason ELSE d.reason END,
            state = CASE d.state WHEN 0 THEN 3 ELSE d.state END
    FROM r WHERE d.sub = r.sub AND d.seq = r.seq AND (d.state = 0 OR d.body IS NOT NULL
        OR d.answers IS NOT NULL)
    RETURNING d.sub, d.seq
), rowless AS (
    INSERT INTO outhook.deliveries AS d (sub, seq, state, finished_at, reason)
    SELECT r.sub, r.seq, 3, r.at, r.reason FROM r WHERE NOT r.there AND r.seq > r.low
    ORDER BY r.sub
    ON CONFLICT (sub, seq) DO UPDATE SET body = NULL, answers = NULL, behind = false,
        finished_at = CASE d.state WHEN 0 THEN EXCLUDED.finished_at ELSE d.finished_at END,
        reason = CASE d.state WHEN 0 THEN EXCLUDED.reason ELSE d.reason END,
            state = CASE d.state WHEN 0 THEN 3 ELSE d.state END
    RETURNING sub, seq
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs)
    SELECT c.sub % 64, false, array_agg(c.sub), array_agg(c.seq)
    FROM (SELECT * FROM ended UNION ALL SELECT * FROM rowless) c GROUP BY 1
), marked AS (
    UPDATE outhook.erasures x SET told = (SELECT max(sub) FROM r) FROM m WHERE x.seq = m.seq
        AND EXISTS (SELECT 1 FROM r)
), over AS (
    DELETE FROM outhook.erasures x USING m WHERE x.seq = m.seq AND NOT EXISTS (SELECT 1 FROM r)
)
SELECT count(*) FROM r
