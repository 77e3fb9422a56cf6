-- $1 any tenant, $2 tenant, $3 from this num on, $4 how many at most.
-- Package catalogue changes parts of the last line for a page backwards, and for the count.
SELECT s.num, s.id, s.tenant, s.name, s.url, s.events, s.header_names, s.header_values, s.secrets,
    s.overlap_until,
    s.status, s.disabled_reason, s.created_at, s.updated_at, s.subscribed_at, s.version,
        s.sealed_with, s.settings
FROM outhook.subscriptions s
WHERE ($1::boolean OR s.tenant = $2::text) AND s.num >= $3::bigint ORDER BY s.num LIMIT $4::bigint
