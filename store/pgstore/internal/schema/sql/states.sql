-- $1 nums
SELECT s.num, s.id, s.tenant, s.name, s.url, s.events, s.header_names, s.header_values, s.secrets,
    s.overlap_until,
    s.status, s.disabled_reason, s.created_at, s.updated_at, s.subscribed_at, s.version,
        s.sealed_with, s.settings, s.canceled_to,
    EXISTS (SELECT FROM outhook.unsettled_tenants t WHERE t.tenant = s.tenant),
    h.healthy, h.failures, h.failing_for, h.last_failure, h.probes, h.slow_start, h.next_probe_at,
    h.latency, h.held_until, h.pace, h.pacing
FROM unnest($1::bigint[]) AS k(num)
CROSS JOIN LATERAL (SELECT s.* FROM outhook.subscriptions s WHERE s.num = k.num OFFSET 0) s
CROSS JOIN LATERAL (SELECT h.* FROM outhook.health h WHERE h.sub = k.num OFFSET 0) h
