-- The newest first attempts that have a row: $1 a number, $2 subscription; $3 how many at most.
-- pending: as in windows. The order reads the index of what is due from its end.
SELECT k.ord, w.seq, w.stamp >= s.canceled_to
FROM unnest($1::int[], $2::bigint[]) AS k(ord, sub)
CROSS JOIN LATERAL (SELECT s.canceled_to FROM outhook.subscriptions s
    WHERE s.num = k.sub OFFSET 0) s
CROSS JOIN LATERAL (
    SELECT d.seq, coalesce(d.stamp, d.seq) AS stamp FROM outhook.deliveries d
    WHERE d.sub = k.sub AND d.state = 0 AND NOT d.behind AND d.due = 0
    ORDER BY d.due DESC, d.seq DESC LIMIT $3::int) w
ORDER BY k.ord, w.seq
