-- $1 a tenant, $2 how many at most, $3 shares: what is pending of it with a row, and of these
-- shares without. What has no row in the shares of the replica that asks, its memory has.
--
-- The limit ends the reading, so a quota costs no more than the tenant's subscriptions and what it
-- allows. Without shares no event is read: above NULL there are none. The index of tenants has none
-- of the tenant without a name, whose host has no other as a rule.
SELECT count(*) FROM (
    SELECT FROM outhook.subscriptions s
    CROSS JOIN LATERAL (
        SELECT d.seq, d.stamp FROM outhook.deliveries d
        WHERE d.sub = s.num AND d.state = 0 AND NOT d.behind
        UNION ALL
        SELECT d.seq, d.stamp FROM outhook.deliveries d
        WHERE d.sub = s.num AND d.state = 0 AND d.key IS NOT NULL AND d.behind) d
    WHERE s.tenant = $1::text AND coalesce(d.stamp, d.seq) >= s.canceled_to
        AND d.seq NOT IN (SELECT x.seq FROM outhook.erasures x)
    UNION ALL
    SELECT FROM (
        SELECT e.* FROM outhook.events e WHERE e.tenant = $1 AND e.tenant <> ''
            AND e.seq > (SELECT min(m.low) FROM outhook.shares m WHERE m.id = ANY ($3::int[]))
        UNION ALL
        SELECT e.* FROM outhook.events e WHERE $1 = '' AND e.tenant = ''
            AND e.seq > (SELECT min(m.low) FROM outhook.shares m WHERE m.id = ANY ($3))) e
    CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)
    CROSS JOIN LATERAL (SELECT h.low FROM outhook.shares h
        WHERE h.id = r.sub % 64 AND h.id = ANY ($3) OFFSET 0) h
    CROSS JOIN LATERAL (SELECT s.canceled_to FROM outhook.subscriptions s
        WHERE s.num = r.sub OFFSET 0) s
    WHERE e.seq > h.low AND e.seq >= s.canceled_to AND e.erased_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d
            WHERE d.sub = r.sub AND d.seq = e.seq OFFSET 0)
    LIMIT $2::bigint
) p
