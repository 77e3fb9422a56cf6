-- $1 shares, $2 their owner: the subscriptions of closed tenants among them of which the owner has
-- not said that nothing is leased any more.
SELECT c.sub FROM outhook.closing_subscriptions c
JOIN outhook.shares h ON h.id = c.sub % 64 AND h.fence = c.fence
WHERE h.id = ANY ($1::int[]) AND h.owner = $2::bigint
