-- $1 shares, $2 how many events, $3 the last that may be passed, $4 the replica: gives rows to what
-- is pending of the oldest events without one, and raises the low marks. It is for a new owner that
-- finds more than memory should hold. Rows and marks are one statement: below the mark and without
-- a row a delivery would be over.
WITH span AS MATERIALIZED (
    SELECT max(e.seq) AS last FROM (
        SELECT e.seq FROM outhook.events e
        WHERE e.seq > (SELECT min(m.low) FROM outhook.shares m WHERE m.id = ANY ($1::int[]))
            AND e.seq <= $3::bigint
        ORDER BY e.seq LIMIT $2::int) e
), given AS (
    INSERT INTO outhook.deliveries (sub, seq, due, key)
    SELECT r.sub, e.seq, 0, nullif(e.key, '')
    FROM outhook.events e CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)
    JOIN outhook.shares h ON h.id = r.sub % 64
    WHERE e.seq > (SELECT min(m.low) FROM outhook.shares m WHERE m.id = ANY ($1))
        AND e.seq <= (SELECT last FROM span)
      AND h.id = ANY ($1) AND e.seq > h.low
      AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = e.seq)
      AND EXISTS (SELECT 1 FROM outhook.subscriptions s WHERE s.num = r.sub)
    ORDER BY r.sub, e.seq
    ON CONFLICT DO NOTHING
)
UPDATE outhook.shares h SET low = span.last FROM span WHERE h.id = ANY ($1)
    AND h.owner = $4::bigint AND h.low < span.last
