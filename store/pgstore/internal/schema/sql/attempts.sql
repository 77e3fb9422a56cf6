-- $1 subscription's id, $2 event's id. A delivery without a row was not attempted, or is over and
-- forgotten.
SELECT coalesce(d.attempts, 0), d.log, d.answers
FROM outhook.subscriptions s
JOIN outhook.events e ON e.id = $2 AND e.tenant = s.tenant AND s.num = ANY (e.recipients)
JOIN outhook.shares h ON h.id = s.num % 64
LEFT JOIN outhook.deliveries d ON d.sub = s.num AND d.seq = e.seq
WHERE s.id = $1 AND (d.seq IS NOT NULL OR e.seq > h.low)
