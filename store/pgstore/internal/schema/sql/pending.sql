-- $1 a subscription's num, or 0 for all: what is pending with a row, and without. Returns how many,
-- and the first event. The rows are counted in two parts, each of which one of the partial indexes
-- has.
WITH p AS (
    SELECT d.seq FROM outhook.deliveries d JOIN outhook.subscriptions s ON s.num = d.sub
    WHERE d.state = 0 AND NOT d.behind AND ($1::bigint = 0 OR d.sub = $1)
        AND coalesce(d.stamp, d.seq) >= s.canceled_to
      AND NOT EXISTS (SELECT 1 FROM outhook.erasures x WHERE x.seq = d.seq)
    UNION ALL
    SELECT d.seq FROM outhook.deliveries d JOIN outhook.subscriptions s ON s.num = d.sub
    WHERE d.state = 0 AND d.behind AND d.key IS NOT NULL AND ($1 = 0 OR d.sub = $1)
        AND coalesce(d.stamp, d.seq) >= s.canceled_to
      AND NOT EXISTS (SELECT 1 FROM outhook.erasures x WHERE x.seq = d.seq)
    UNION ALL
    SELECT e.seq FROM outhook.events e
    CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)
    JOIN outhook.subscriptions s ON s.num = r.sub
    JOIN outhook.shares h ON h.id = r.sub % 64
    WHERE e.seq > (SELECT min(low) FROM outhook.shares WHERE $1 = 0 OR id = $1 % 64)
        AND e.seq > h.low
      AND ($1 = 0 OR r.sub = $1) AND e.seq >= s.canceled_to AND e.erased_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = e.seq)
)
SELECT count(*), (SELECT e.enqueued_at FROM outhook.events e WHERE e.seq = min(p.seq)) FROM p
