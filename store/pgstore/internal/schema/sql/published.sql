-- $1 ids: their events, with those that get them and have no row for them.
SELECT e.seq, ARRAY(
    SELECT r.sub FROM unnest(e.recipients) AS r(sub)
    WHERE NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = e.seq))
FROM unnest($1::text[]) AS k(id)
CROSS JOIN LATERAL (SELECT e.* FROM outhook.events e WHERE e.id = k.id OFFSET 0) e
