-- $1 subscriptions, $2 keys: what is pending with a row after the first of each key is behind it.
-- Returns what was not known to be. See unblock.
UPDATE outhook.deliveries d SET behind = true
FROM (
    SELECT k.sub, l.seq
    FROM (SELECT DISTINCT * FROM unnest($1::bigint[], $2::text[]) AS k(sub, key)) k
    CROSS JOIN LATERAL (SELECT s.canceled_to FROM outhook.subscriptions s
        WHERE s.num = k.sub OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT n.seq FROM outhook.deliveries n
        WHERE n.sub = k.sub AND n.key = k.key AND n.state = 0
            AND coalesce(n.stamp, n.seq) >= s.canceled_to
            AND NOT EXISTS (SELECT 1 FROM outhook.erasures x WHERE x.seq = n.seq)
        ORDER BY n.seq LIMIT 1) n
    CROSS JOIN LATERAL (
        SELECT l.seq FROM outhook.deliveries l
        WHERE l.sub = k.sub AND l.key = k.key AND l.state = 0 AND NOT l.behind
            AND l.seq > n.seq OFFSET 0) l
    ORDER BY k.sub, l.seq) f
WHERE d.sub = f.sub AND d.seq = f.seq AND d.state = 0 AND NOT d.behind
RETURNING d.sub, d.seq, d.due
