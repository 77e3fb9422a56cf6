-- $1 shares, $2 how many to count: the events that their low marks have not passed. The limit
-- bounds what is read: how far the backlog goes beyond it does not matter.
SELECT count(*) FROM (
    SELECT 1 FROM outhook.events e
    WHERE e.seq > (SELECT min(m.low) FROM outhook.shares m WHERE m.id = ANY ($1::int[]))
    LIMIT $2::int) e
