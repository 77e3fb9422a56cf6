-- $1 tokens: locks their leases, and then the health of their subscriptions.
WITH l AS MATERIALIZED (
    SELECT l.slot, l.sub FROM unnest($1::bigint[]) AS t(token)
    CROSS JOIN LATERAL (
        SELECT l.slot, l.sub FROM outhook.leases l WHERE l.slot = (t.token >> 1) & 131071 AND l.token = t.token OFFSET 0) l
)
SELECT 1 FROM (
    SELECT slot FROM outhook.leases WHERE slot = ANY (ARRAY(SELECT slot FROM l)) ORDER BY slot FOR UPDATE) x
