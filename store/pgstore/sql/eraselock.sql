-- $1 events: locks the leases of their deliveries.
SELECT 1 FROM (
    SELECT slot FROM outhook.leases WHERE token <> 0 AND seq = ANY ($1::bigint[]) ORDER BY slot FOR UPDATE) x
