-- $1 tenant, $2 from this event on, $3 how many at most, $4 how many to look at, $5 how many
-- deliveries they may have together. Returns the events to erase, and where to go on. The index of
-- tenants has none of the tenant without a name: for that one all events are looked at.
WITH near AS MATERIALIZED (
    (SELECT e.seq, e.tenant, e.erased_at, cardinality(e.recipients) AS n FROM outhook.events e
        WHERE e.tenant = $1::text AND e.tenant <> '' AND e.seq >= $2::bigint
        ORDER BY e.tenant, e.seq LIMIT $4::bigint + 1)
    UNION ALL
    (SELECT e.seq, e.tenant, e.erased_at, cardinality(e.recipients) FROM outhook.events e
        WHERE $1 = '' AND e.seq >= $2 ORDER BY e.seq LIMIT $4 + 1)
), beyond AS MATERIALIZED ( -- the first that is not looked at
    SELECT seq FROM near ORDER BY seq OFFSET $4 LIMIT 1
), fitting AS MATERIALIZED (
    SELECT seq, n FROM near
    WHERE tenant = $1 AND erased_at IS NULL AND NOT EXISTS (SELECT 1 FROM beyond b
        WHERE b.seq = near.seq)
    ORDER BY seq LIMIT $3::bigint + 1
), counted AS MATERIALIZED ( -- those before it, and their deliveries
    SELECT seq, row_number() OVER (ORDER BY seq) AS i, coalesce(sum(n) OVER w, 0) AS before
    FROM fitting WINDOW w AS (ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), taken AS MATERIALIZED (
    SELECT seq FROM counted WHERE i <= $3 AND (i = 1 OR before < $5::bigint)
)
SELECT ARRAY(SELECT seq FROM taken ORDER BY seq), coalesce(
    (SELECT min(seq) FROM counted WHERE seq NOT IN (SELECT seq FROM taken)),
        (SELECT seq FROM beyond))
