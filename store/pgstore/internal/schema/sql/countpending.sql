-- $1 a tenant, $2 how many at most: what is pending of it with a row, and without. The rows are
-- counted in two parts, each of which one of the partial indexes has. The limit ends the reading,
-- so a quota costs no more than it allows.
SELECT count(*) FROM (
    SELECT FROM outhook.subscriptions s JOIN outhook.deliveries d ON d.sub = s.num
    WHERE s.tenant = $1::text AND d.state = 0 AND NOT d.behind AND coalesce(d.stamp, d.seq) >= s.canceled_to
      AND NOT EXISTS (SELECT 1 FROM outhook.erasures x WHERE x.seq = d.seq)
    UNION ALL
    SELECT FROM outhook.subscriptions s JOIN outhook.deliveries d ON d.sub = s.num
    WHERE s.tenant = $1 AND d.state = 0 AND d.behind AND d.key IS NOT NULL AND coalesce(d.stamp, d.seq) >= s.canceled_to
      AND NOT EXISTS (SELECT 1 FROM outhook.erasures x WHERE x.seq = d.seq)
    UNION ALL
    SELECT FROM outhook.events e
    CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)
    JOIN outhook.subscriptions s ON s.num = r.sub
    JOIN outhook.shares h ON h.id = r.sub % 64
    WHERE e.seq > (SELECT min(low) FROM outhook.shares) AND e.seq > h.low AND e.tenant = $1
      AND e.seq >= s.canceled_to AND e.erased_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = e.seq)
    LIMIT $2::bigint
) p
