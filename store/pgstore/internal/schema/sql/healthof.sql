-- $1 subscription's id. The last column: whether the replica that owns it may have leased something
-- of it, though its tenant is closed. One that has died has not.
SELECT s.num, h.healthy, h.failures, h.failing_for, h.last_failure, h.probes, h.slow_start,
    h.next_probe_at,
    h.latency, h.held_until, h.pace, h.pacing, statement_timestamp(),
    EXISTS (SELECT FROM outhook.closing_subscriptions c
        JOIN outhook.shares o ON o.id = c.sub % 64 AND o.fence = c.fence
        JOIN outhook.replicas r ON r.id = o.owner AND r.until > statement_timestamp()
        WHERE c.sub = s.num)
FROM outhook.subscriptions s JOIN outhook.health h ON h.sub = s.num
WHERE s.id = $1
