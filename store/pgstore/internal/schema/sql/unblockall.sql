-- $1 shares: see unblock. For a new owner. The former one may have died after it took a notice, and
-- before it freed what was behind.
UPDATE outhook.deliveries d SET behind = false
FROM (
    SELECT * FROM (
        SELECT DISTINCT ON (n.sub, n.key) n.sub, n.seq, n.behind
        FROM outhook.deliveries n JOIN outhook.subscriptions s ON s.num = n.sub
        WHERE n.state = 0 AND n.key IS NOT NULL AND (n.sub % 64)::int = ANY ($1::int[])
            AND coalesce(n.stamp, n.seq) >= s.canceled_to
            AND NOT EXISTS (SELECT 1 FROM outhook.erasures x WHERE x.seq = n.seq)
        ORDER BY n.sub, n.key, n.seq) k
    WHERE k.behind ORDER BY k.sub, k.seq) f
WHERE d.sub = f.sub AND d.seq = f.seq
