-- $1 the sequence that says when a tenant was closed: now. It does not go back with the clock.
SELECT setval($1::text::regclass, greatest(
    (extract(epoch FROM clock_timestamp()) * 1000000)::bigint,
    (SELECT c.last_value FROM outhook.tenant_closed_at c)))
