-- $1 subscription's id
SELECT s.num, h.healthy, h.failures, h.failing_for, h.last_failure, h.probes, h.slow_start,
    h.next_probe_at,
    h.latency, h.held_until, h.pace, h.pacing, statement_timestamp()
FROM outhook.subscriptions s JOIN outhook.health h ON h.sub = s.num
WHERE s.id = $1
