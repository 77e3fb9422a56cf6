-- $1 tenant, $2 id. An event is there as long as one of its deliveries is: see attempts.sql.
SELECT e.type, e.key, e.time, e.enqueued_at, e.body, e.trace, e.tags,
    e.not_before, e.expires_at
FROM outhook.events e
WHERE e.id = $2 AND e.tenant = $1 AND EXISTS (
    SELECT 1 FROM unnest(e.recipients) r (sub)
    JOIN outhook.subscriptions s ON s.num = r.sub
    JOIN outhook.shares h ON h.id = s.num % 64
    LEFT JOIN outhook.deliveries d ON d.sub = s.num AND d.seq = e.seq
    WHERE d.seq IS NOT NULL OR e.seq > h.low)
