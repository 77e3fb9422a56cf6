-- $1 a tenant, $2 how many at most: the IDs of its first subscriptions.
SELECT s.id FROM outhook.subscriptions s WHERE s.tenant = $1 ORDER BY s.num LIMIT $2::bigint
