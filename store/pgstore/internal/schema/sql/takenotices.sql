-- $1 shares, $2 the replica, $3 how many, $4 after how many deliveries no more: takes the notices
-- of those that are its own, and returns what to look at as it is now. A fresh delivery whose event
-- the low mark has passed gets a row, as without one it would be over.
--
-- They are taken in any order, as it is the present state that is looked at, and not what each has
-- said. Those of a share that was lost stay, for the new owner.
WITH taken AS (
    DELETE FROM outhook.notices n USING outhook.shares h
    WHERE (n.share, n.id) IN (
        SELECT x.share, x.id FROM (
            SELECT x.share, x.id, sum(cardinality(x.seqs)) OVER (
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
            FROM (
                SELECT x.share, x.id, x.seqs FROM outhook.notices x
                WHERE x.share = ANY ($1::int[]) LIMIT $3::int) x) x
        WHERE coalesce(x.before, 0) < $4::int)
      AND h.id = n.share AND h.owner = $2::bigint
    RETURNING n.fresh, n.subs, n.seqs, h.low
), look AS MATERIALIZED (
    SELECT u.sub, u.seq, bool_or(t.fresh) AS fresh, max(t.low) AS low
    FROM taken t CROSS JOIN LATERAL unnest(t.subs, t.seqs) AS u(sub, seq) GROUP BY u.sub, u.seq
), late AS (
    INSERT INTO outhook.deliveries (sub, seq, due, key)
    SELECT l.sub, l.seq, 0, nullif(e.key, '') FROM look l JOIN outhook.events e ON e.seq = l.seq
    WHERE l.fresh AND l.seq <= l.low AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d
        WHERE d.sub = l.sub AND d.seq = l.seq)
    ORDER BY l.sub, l.seq
    ON CONFLICT DO NOTHING
    RETURNING sub, seq
)
SELECT l.sub, l.seq, l.fresh AND l.seq > l.low AND d.seq IS NULL AND e.erased_at IS NULL,
    a.seq IS NOT NULL OR coalesce(d.state = 0 AND coalesce(d.stamp, d.seq) >= s.canceled_to
        AND e.erased_at IS NULL, false),
    coalesce(d.behind, false), coalesce(d.due, 0), e.key
FROM look l
LEFT JOIN outhook.subscriptions s ON s.num = l.sub
LEFT JOIN outhook.events e ON e.seq = l.seq
LEFT JOIN outhook.deliveries d ON d.sub = l.sub AND d.seq = l.seq
LEFT JOIN late a ON a.sub = l.sub AND a.seq = l.seq
ORDER BY l.sub, l.seq
