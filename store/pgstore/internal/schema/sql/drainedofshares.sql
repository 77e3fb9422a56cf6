-- $1 shares that their owner, the replica $2, is loading: it has nothing leased of them yet, so
-- what is closing of them is drained.
DELETE FROM outhook.closing_subscriptions c USING outhook.shares h
WHERE h.id = ANY ($1::int[]) AND h.id = c.sub % 64 AND h.owner = $2::bigint AND h.fence = c.fence
