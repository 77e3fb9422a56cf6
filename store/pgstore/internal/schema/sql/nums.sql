-- $1 ids. Those that are unknown are left out.
SELECT s.id, s.num FROM unnest($1::text[]) AS k(id)
CROSS JOIN LATERAL (SELECT s.id, s.num FROM outhook.subscriptions s WHERE s.id = k.id OFFSET 0) s
