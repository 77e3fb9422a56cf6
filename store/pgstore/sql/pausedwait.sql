-- $1, $2: the tokens of this claim, which it does not wait for; $3 subscriptions that are paused. In how many microseconds
-- something of each of those could be claimed but for the pause, and, in a row without a subscription, something of the
-- others; NULL when nothing can.
WITH paused AS MATERIALIZED (
    SELECT p.id, s.num FROM unnest($3::text[]) AS p(id)
    CROSS JOIN LATERAL (SELECT s.num FROM outhook.subscriptions s WHERE s.id = p.id OFFSET 0) s
), leased AS MATERIALIZED (
    SELECT l.sub, greatest(l.leased_till, h.next_probe_at) AS till FROM (
        SELECT sub, min(leased_till) AS leased_till FROM outhook.leases
        WHERE token <> 0 AND NOT (token >= $1::bigint AND token < $2::bigint) AND leased_till > statement_timestamp()
        GROUP BY sub) l
    CROSS JOIN LATERAL (SELECT h.next_probe_at FROM outhook.health h WHERE h.sub = l.sub OFFSET 0) h
), times AS (
    SELECT p.id, least(CASE WHEN t.ready THEN statement_timestamp() END, t.due, l.till) AS at
    FROM paused p
    CROSS JOIN LATERAL (SELECT t.* FROM outhook.turns t WHERE t.sub = p.num OFFSET 0) t
    LEFT JOIN leased l ON l.sub = p.num
    UNION ALL
    SELECT '', least(
        (SELECT due FROM outhook.turns
         WHERE due IS NOT NULL AND sub NOT IN (SELECT num FROM paused) ORDER BY due LIMIT 1),
        (SELECT min(till) FROM leased WHERE sub NOT IN (SELECT num FROM paused)),
        (SELECT statement_timestamp() FROM outhook.signals LIMIT 1))
)
SELECT id, (extract(epoch FROM at - statement_timestamp()) * 1000000)::bigint FROM times
