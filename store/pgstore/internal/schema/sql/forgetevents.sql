-- $1 a tenant, $2 ids of its events: removes those of which no delivery is left. Prune has not got
-- to them since the tenant was moved away, and now they come back.
DELETE FROM outhook.events e WHERE (e.id, e.tenant) IN (SELECT k, $1::text
        FROM unnest($2::text[]) AS k)
    AND NOT EXISTS (
        SELECT FROM unnest(e.recipients) AS r(sub)
        JOIN outhook.subscriptions s ON s.num = r.sub JOIN outhook.shares h ON h.id = r.sub % 64
        WHERE e.seq > h.low OR EXISTS (SELECT FROM outhook.deliveries d WHERE d.sub = r.sub
            AND d.seq = e.seq))
