-- One delivery a row: $1 subscription, $2 event, by their IDs. Returns the numbers of the rows,
-- from 1, whose deliveries are here already.
SELECT o.ord FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS o(sub_id, event_id, ord)
CROSS JOIN LATERAL (
    SELECT s.num, s.tenant FROM outhook.subscriptions s WHERE s.id = o.sub_id OFFSET 0) s
CROSS JOIN LATERAL (
    SELECT e.seq FROM outhook.events e WHERE e.id = o.event_id AND e.tenant = s.tenant OFFSET 0) e
CROSS JOIN LATERAL (SELECT d.seq FROM outhook.deliveries d
    WHERE d.sub = s.num AND d.seq = e.seq OFFSET 0) d
