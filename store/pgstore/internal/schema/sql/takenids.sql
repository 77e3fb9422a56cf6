-- $1 a tenant, $2 ids: those of them that are subscriptions of other tenants.
SELECT s.id FROM outhook.subscriptions s WHERE s.id = ANY ($2::text[]) AND s.tenant <> $1
