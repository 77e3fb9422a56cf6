-- $1 how many: removes what a deleted subscription has left. Returns how many deliveries it found,
-- or nothing if there is nothing to do.
WITH g AS MATERIALIZED (
    SELECT * FROM outhook.deleted_subscriptions WHERE NOT purged ORDER BY at LIMIT 1
), gone AS MATERIALIZED (
    SELECT d.sub, d.seq FROM g CROSS JOIN LATERAL (
        SELECT d.sub, d.seq FROM outhook.deliveries d WHERE d.sub = g.sub LIMIT $1::int) d
), rowless AS MATERIALIZED (
    SELECT g.sub, e.seq FROM g CROSS JOIN LATERAL (
        SELECT e.seq FROM outhook.events e WHERE e.seq > g.above
            AND g.sub = ANY (e.recipients) ORDER BY e.seq LIMIT $1) e
), removed AS (
    DELETE FROM outhook.deliveries d USING gone WHERE d.sub = gone.sub AND d.seq = gone.seq
), met AS MATERIALIZED (
    SELECT * FROM gone UNION SELECT * FROM rowless
), forgotten AS (
    DELETE FROM outhook.events e
    WHERE e.seq IN (SELECT seq FROM met) AND NOT EXISTS (
        SELECT 1 FROM unnest(e.recipients) AS r(sub)
        JOIN outhook.subscriptions s ON s.num = r.sub
        JOIN outhook.shares h ON h.id = r.sub % 64
        WHERE e.seq > h.low OR EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub
            AND d.seq = e.seq))
    RETURNING e.seq
), shrunk AS (
    UPDATE outhook.events e SET recipients = array_remove(e.recipients, g.sub)
    FROM g WHERE e.seq IN (SELECT seq FROM rowless) AND e.seq NOT IN (SELECT seq FROM forgotten)
), n AS (
    SELECT (SELECT count(*) FROM met) AS found
), purged AS (
    UPDATE outhook.deleted_subscriptions x SET purged = true FROM g, n WHERE x.sub = g.sub
        AND n.found = 0
)
SELECT n.found FROM n WHERE EXISTS (SELECT 1 FROM g)
