-- $1 subscription's id
SELECT s.num, h.healthy, h.failures, h.failing_for, h.probes, h.slow_start, h.next_probe_at,
    CASE WHEN h.failures > 0 THEN h.last_failure - h.failing_for * interval '1 microsecond' END, statement_timestamp()
FROM outhook.subscriptions s JOIN outhook.health h ON h.sub = s.num
WHERE s.id = $1
