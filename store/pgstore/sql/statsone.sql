-- $1 subscription
SELECT 1,
    (SELECT count(*) FROM outhook.queue q WHERE q.sub = s.num AND q.epoch = s.epoch),
    (SELECT count(*) FROM outhook.leases l WHERE l.sub = s.num AND l.token <> 0 AND l.leased_till > statement_timestamp()),
    (SELECT e.enqueued_at FROM (
        SELECT q.seq FROM (VALUES (0), (1), (2)) AS lanes(lane)
        CROSS JOIN LATERAL (
            SELECT q.seq FROM outhook.queue q WHERE q.sub = s.num AND q.epoch = s.epoch AND q.lane = lanes.lane
            ORDER BY q.seq LIMIT 1) q
        ORDER BY q.seq LIMIT 1) q
     JOIN outhook.events e USING (seq)),
    h.healthy, h.failures, h.failing_for, h.probes, h.slow_start, h.next_probe_at,
    CASE WHEN h.failures > 0 THEN h.last_failure - h.failing_for * interval '1 microsecond' END, s.num, statement_timestamp()
FROM outhook.subscriptions s JOIN outhook.health h ON h.sub = s.num
WHERE s.id = $1
