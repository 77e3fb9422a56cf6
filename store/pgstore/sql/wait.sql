-- $1, $2: the tokens of this claim, which it does not wait for. In how many microseconds something is due; zero or less when
-- the intake has left something for the next.
SELECT (extract(epoch FROM least(
    (SELECT due FROM outhook.turns WHERE due IS NOT NULL ORDER BY due LIMIT 1),
    (SELECT min(greatest(l.leased_till, h.next_probe_at)) FROM (
        SELECT sub, min(leased_till) AS leased_till FROM outhook.leases
        WHERE token <> 0 AND NOT (token >= $1::bigint AND token < $2::bigint) AND leased_till > statement_timestamp()
        GROUP BY sub) l
     CROSS JOIN LATERAL (SELECT h.next_probe_at FROM outhook.health h WHERE h.sub = l.sub OFFSET 0) h),
    (SELECT statement_timestamp() FROM outhook.signals LIMIT 1)
) - statement_timestamp()) * 1000000)::bigint
