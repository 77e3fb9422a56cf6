-- $1 a tenant, $2 the event after which it goes on, $3 how many at most: its events, with the
-- number of their recipients. The index of tenants has none of the tenant without a name.
(SELECT e.seq, cardinality(e.recipients) FROM outhook.events e
    WHERE e.tenant = $1::text AND e.tenant <> '' AND e.seq > $2::bigint
    ORDER BY e.tenant, e.seq LIMIT $3::bigint)
UNION ALL
(SELECT e.seq, cardinality(e.recipients) FROM outhook.events e
    WHERE $1 = '' AND e.tenant = '' AND e.seq > $2 ORDER BY e.seq LIMIT $3)
