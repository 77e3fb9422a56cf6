-- $1 a tenant, $2 ids: its subscriptions among them.
SELECT s.id, s.num FROM unnest($2::text[]) AS k(id)
CROSS JOIN LATERAL (SELECT s.id, s.num FROM outhook.subscriptions s
    WHERE s.id = k.id AND s.tenant = $1 OFFSET 0) s
