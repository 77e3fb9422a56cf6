-- $1 tenants, $2 their ids: their events, with those that get them and have no row for them.
SELECT e.seq, ARRAY(
    SELECT r.sub FROM unnest(e.recipients) AS r(sub)
    WHERE NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = e.seq))
FROM unnest($1::text[], $2::text[]) AS k(tenant, id)
CROSS JOIN LATERAL (
    SELECT e.* FROM outhook.events e WHERE e.id = k.id AND e.tenant = k.tenant OFFSET 0) e
