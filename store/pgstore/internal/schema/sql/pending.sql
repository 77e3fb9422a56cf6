-- $1 and $2 the first and the last subscription (num): what is pending of them with a row, and
-- without. Returns how many, and when the first event was stored.
--
-- It costs what it counts, and what has ended above the low marks. w goes through the subscriptions
-- that have rows, one search of the partial indexes for each; their rows are in two parts, each of
-- which one index has. Lookups stay subqueries (OFFSET 0, NOT IN): the planner knows nothing of a
-- table that has just been filled, and joined in another order all would be compared with all.
WITH RECURSIVE w(sub) AS (
    SELECT $1::bigint - 1
    UNION ALL
    SELECT least(
        (SELECT d.sub FROM outhook.deliveries d WHERE d.state = 0 AND NOT d.behind
            AND d.sub > w.sub ORDER BY d.sub LIMIT 1),
        (SELECT d.sub FROM outhook.deliveries d WHERE d.state = 0 AND d.key IS NOT NULL
            AND d.sub > w.sub ORDER BY d.sub LIMIT 1))
    FROM w WHERE w.sub < $2::bigint
), p AS (
    SELECT n.count, n.first FROM w
    CROSS JOIN LATERAL (SELECT s.num, s.canceled_to FROM outhook.subscriptions s
        WHERE s.num = w.sub OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT count(*), min(d.seq) AS first FROM (
            SELECT d.seq, d.stamp FROM outhook.deliveries d
            WHERE d.sub = s.num AND d.state = 0 AND NOT d.behind
            UNION ALL
            SELECT d.seq, d.stamp FROM outhook.deliveries d
            WHERE d.sub = s.num AND d.state = 0 AND d.key IS NOT NULL AND d.behind) d
        WHERE coalesce(d.stamp, d.seq) >= s.canceled_to
            AND d.seq NOT IN (SELECT x.seq FROM outhook.erasures x)) n
    WHERE w.sub BETWEEN $1 AND $2
    UNION ALL
    SELECT count(*), min(e.seq) FROM outhook.events e
    CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)
    CROSS JOIN LATERAL (SELECT h.low FROM outhook.shares h WHERE h.id = r.sub % 64 OFFSET 0) h
    CROSS JOIN LATERAL (SELECT s.canceled_to FROM outhook.subscriptions s
        WHERE s.num = r.sub OFFSET 0) s
    WHERE e.seq > (SELECT min(m.low) FROM outhook.shares m WHERE $1 < $2 OR m.id = $1 % 64)
        AND ($1 < $2 OR $1 = ANY (e.recipients)) AND r.sub BETWEEN $1 AND $2
        AND e.seq > h.low AND e.seq >= s.canceled_to AND e.erased_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d
            WHERE d.sub = r.sub AND d.seq = e.seq OFFSET 0)
)
SELECT coalesce(sum(p.count), 0)::bigint,
    (SELECT e.enqueued_at FROM outhook.events e WHERE e.seq = min(p.first)) FROM p
