-- $1, $2: the tokens of a claim. In the order in which they were chosen.
SELECT l.token, l.sub, q.attempts, q.retry, e.id, e.type, e.tenant, e.key, e.time, e.enqueued_at,
    e.body, e.trace, q.body_state, q.body
FROM outhook.leases l
CROSS JOIN LATERAL (
    SELECT q.attempts, q.retry, q.body_state, q.body FROM outhook.queue q WHERE q.seq = l.seq AND q.sub = l.sub OFFSET 0) q
CROSS JOIN LATERAL (SELECT e.* FROM outhook.events e WHERE e.seq = l.seq OFFSET 0) e
WHERE l.token >= $1 AND l.token < $2
