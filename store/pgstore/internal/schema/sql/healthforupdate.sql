-- $1 subscription's id: its health, locked. What it becomes is reckoned in Go, and written in the
-- same transaction.
SELECT h.sub, h.healthy, h.failures, h.failing_for, h.last_failure, h.probes, h.slow_start,
    h.next_probe_at,
    h.latency, h.held_until, h.pace, h.pacing
FROM outhook.health h WHERE h.sub = (SELECT s.num FROM outhook.subscriptions s
    WHERE s.id = $1) FOR UPDATE
