-- $1 how many: gives rows that say so to deliveries that a subscription's unsubscribing has
-- canceled. Returns how many it found, or nothing if there is nothing to do.
--
-- Rows are looked for in two parts, each of which one of the partial indexes has. A number that
-- cancels is purged only once a step has found nothing more below it.
WITH c AS MATERIALIZED (
    SELECT c.*, h.low FROM outhook.cancellations c JOIN outhook.shares h ON h.id = c.sub % 64
    WHERE NOT c.purged ORDER BY c.before LIMIT 1
), waiting AS MATERIALIZED (
    SELECT d.sub, d.seq FROM c CROSS JOIN LATERAL (
        (SELECT d.sub, d.seq FROM outhook.deliveries d
        WHERE d.sub = c.sub AND d.state = 0 AND NOT d.behind
            AND coalesce(d.stamp, d.seq) < c.before LIMIT $1::int)
        UNION ALL
        (SELECT d.sub, d.seq FROM outhook.deliveries d
        WHERE d.sub = c.sub AND d.state = 0 AND d.key IS NOT NULL AND d.behind
            AND coalesce(d.stamp, d.seq) < c.before LIMIT $1)) d
    ORDER BY d.seq
), waited AS MATERIALIZED ( -- expired: when, if it was before that
    SELECT w.*, (SELECT e.expires_at FROM outhook.events e WHERE e.seq = w.seq
        AND e.expires_at < c.at) AS expired
    FROM waiting w, c
), rowless AS MATERIALIZED (
    SELECT c.sub, e.seq FROM c CROSS JOIN LATERAL (
        SELECT e.seq FROM outhook.events e
        WHERE e.seq > c.low AND e.seq < c.before AND c.sub = ANY (e.recipients)
          AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = c.sub AND d.seq = e.seq)
        ORDER BY e.seq LIMIT $1) e
), ended AS (
    UPDATE outhook.deliveries d SET state = 3, finished_at = coalesce(w.expired, c.at),
        reason = CASE WHEN w.expired IS NULL THEN c.reason ELSE 'expired' END, behind = false
    FROM waited w, c WHERE d.sub = w.sub AND d.seq = w.seq AND d.state = 0
), given AS (
    INSERT INTO outhook.deliveries (sub, seq, state, finished_at, reason) SELECT r.sub, r.seq, 3,
        c.at, c.reason FROM rowless r, c
    ON CONFLICT DO NOTHING
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs)
    SELECT t.sub % 64, false, array_agg(t.sub), array_agg(t.seq)
    FROM (SELECT * FROM waiting UNION ALL SELECT * FROM rowless) t GROUP BY 1
), n AS (
    SELECT (SELECT count(*) FROM waiting) + (SELECT count(*) FROM rowless) AS found
), purged AS (
    UPDATE outhook.cancellations x SET purged = true FROM c, n WHERE x.sub = c.sub
        AND x.before = c.before AND n.found = 0
)
SELECT n.found FROM n WHERE EXISTS (SELECT 1 FROM c)
