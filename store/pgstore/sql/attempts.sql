-- $1 subscription, $2 event
SELECT coalesce(q.log, h.log) FROM outhook.subscriptions s
CROSS JOIN LATERAL (SELECT e.seq FROM outhook.events e WHERE e.id = $2) e
LEFT JOIN outhook.queue q ON q.seq = e.seq AND q.sub = s.num
LEFT JOIN outhook.history h ON h.seq = e.seq AND h.sub = s.num
WHERE s.id = $1 AND (q.seq IS NOT NULL OR h.seq IS NOT NULL)
