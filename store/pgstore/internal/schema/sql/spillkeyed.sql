-- $1 subscriptions, $2 events: first attempts that have a key get rows, unless somebody has given
-- them one meanwhile. Returns them.
INSERT INTO outhook.deliveries (sub, seq, due, key)
SELECT u.sub, u.seq, 0, e.key FROM unnest($1::bigint[], $2::bigint[]) AS u(sub, seq)
CROSS JOIN LATERAL (SELECT e.key FROM outhook.events e WHERE e.seq = u.seq OFFSET 0) e
WHERE e.key <> '' ORDER BY u.sub, u.seq
ON CONFLICT DO NOTHING
RETURNING sub, seq, key
