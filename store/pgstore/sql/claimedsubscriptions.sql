-- $1, $2: the tokens of a claim.
SELECT s.num, s.id, s.tenant, s.name, s.url, s.events, s.header_names, s.header_values, s.secrets, s.overlap_until,
    s.status, s.disabled_reason, s.created_at, s.updated_at, s.subscribed_at, s.version, s.sealed_with,
    h.healthy, h.failures, h.failing_for, h.probes, h.slow_start, h.next_probe_at
FROM (SELECT DISTINCT sub FROM outhook.leases WHERE token >= $1 AND token < $2) l
CROSS JOIN LATERAL (SELECT s.* FROM outhook.subscriptions s WHERE s.num = l.sub OFFSET 0) s
CROSS JOIN LATERAL (SELECT h.* FROM outhook.health h WHERE h.sub = l.sub OFFSET 0) h
