-- $1 subscriptions of closed tenants, of which their owner, the replica $2, has nothing leased.
DELETE FROM outhook.closing_subscriptions c USING outhook.shares h
WHERE c.sub = ANY ($1::bigint[]) AND h.id = c.sub % 64 AND h.owner = $2::bigint
    AND h.fence = c.fence
