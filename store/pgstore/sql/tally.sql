-- $1 subscriptions, $2 slots, $3 writers, $4 counts
INSERT INTO outhook.tallies (sub, slot, writer, counts)
SELECT t.sub, t.slot, t.writer, t.counts
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS t(sub, slot, writer, counts)
CROSS JOIN LATERAL (SELECT 1 FROM outhook.subscriptions s WHERE s.num = t.sub OFFSET 0) s
ORDER BY t.sub, t.slot
ON CONFLICT (sub, slot, writer) DO UPDATE SET counts = EXCLUDED.counts
