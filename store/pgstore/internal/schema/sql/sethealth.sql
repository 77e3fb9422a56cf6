-- $1 subscription, $2 healthy, $3 failures, $4 failing for, $5 last failure, $6 probes, $7 slow
-- start, $8 next probe, $9 latency, $10 held until, $11 pace, $12 pacing
UPDATE outhook.health h SET healthy = n.healthy, failures = n.failures, failing_for = n.failing_for,
    last_failure = n.last_failure, probes = n.probes, slow_start = n.slow_start,
        next_probe_at = n.next_probe_at,
    latency = n.latency, held_until = n.held_until, pace = n.pace, pacing = n.pacing::jsonb
FROM unnest($1::bigint[], $2::boolean[], $3::int[], $4::bigint[], $5::timestamptz[], $6::int[],
    $7::int[],
    $8::timestamptz[], $9::bigint[], $10::timestamptz[], $11::bigint[], $12::text[])
    AS n(sub, healthy, failures, failing_for, last_failure, probes, slow_start, next_probe_at,
        latency, held_until, pace, pacing)
WHERE h.sub = n.sub
