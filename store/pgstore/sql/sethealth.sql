-- $1 subscription, $2 healthy, $3 failures, $4 failing for, $5 probes, $6 slow start, $7 next
-- probe, $8 whether it failed just now
UPDATE outhook.health h SET healthy = n.healthy, failures = n.failures, failing_for = n.failing_for, probes = n.probes,
    slow_start = n.slow_start, next_probe_at = n.next_probe_at,
    last_failure = CASE WHEN n.failures = 0 THEN NULL WHEN n.failed THEN statement_timestamp() ELSE h.last_failure END
FROM unnest($1::bigint[], $2::boolean[], $3::int[], $4::bigint[], $5::int[], $6::int[], $7::timestamptz[], $8::boolean[])
    AS n(sub, healthy, failures, failing_for, probes, slow_start, next_probe_at, failed)
WHERE h.sub = n.sub
