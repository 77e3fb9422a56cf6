-- $1 a closed tenant: has the owners of its subscriptions look at them, and say when they have
-- nothing leased of them.
WITH s AS MATERIALIZED (
    SELECT s.num, h.id, h.fence, h.owner FROM outhook.subscriptions s
    JOIN outhook.shares h ON h.id = s.num % 64 WHERE s.tenant = $1
), closing AS (
    INSERT INTO outhook.closing_subscriptions (sub, fence)
    SELECT num, fence FROM s WHERE owner <> 0 ORDER BY num
    ON CONFLICT (sub) DO UPDATE SET fence = EXCLUDED.fence
)
INSERT INTO outhook.notices (share, fresh, subs, seqs)
SELECT id, false, array_agg(num), array_agg(0::bigint) FROM s GROUP BY id
