-- $1 subscriptions, $2 keys: the first that is pending of each key is not behind any other. What is
-- pending and canceled or erased, and has not been told so, counts no more.
UPDATE outhook.deliveries d SET behind = false
FROM (
    SELECT k.sub, n.seq
    FROM (SELECT DISTINCT * FROM unnest($1::bigint[], $2::text[]) AS k(sub, key)) k
    CROSS JOIN LATERAL (SELECT s.canceled_to FROM outhook.subscriptions s
        WHERE s.num = k.sub OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT n.seq FROM outhook.deliveries n
        WHERE n.sub = k.sub AND n.key = k.key AND n.state = 0
            AND coalesce(n.stamp, n.seq) >= s.canceled_to
            AND NOT EXISTS (SELECT 1 FROM outhook.erasures x WHERE x.seq = n.seq)
        ORDER BY n.seq LIMIT 1) n
    ORDER BY k.sub, n.seq) f
WHERE d.sub = f.sub AND d.seq = f.seq AND d.behind
RETURNING d.sub, d.seq, d.due
