-- $1 tenants, $2 ids, $3 whether also what was erased: removes their events of which no delivery is
-- left. Prune has not got to them, and now somebody stores events with their IDs. Returns how many.
WITH gone AS (
    DELETE FROM outhook.events e USING unnest($1::text[], $2::text[]) AS k(tenant, id)
    WHERE e.id = k.id AND e.tenant = k.tenant AND ($3::boolean OR e.erased_at IS NULL)
      AND NOT EXISTS (
        SELECT FROM unnest(e.recipients) AS r(sub)
        JOIN outhook.subscriptions s ON s.num = r.sub JOIN outhook.shares h ON h.id = r.sub % 64
        WHERE e.seq > h.low OR EXISTS (SELECT FROM outhook.deliveries d WHERE d.sub = r.sub
            AND d.seq = e.seq))
    RETURNING 1
)
SELECT count(*) FROM gone
