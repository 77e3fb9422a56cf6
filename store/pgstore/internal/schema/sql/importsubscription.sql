-- $1 id … $11 disabled reason, $12 created, $13 updated, $14 subscribed at; $15 healthy, $16
-- failures, $17 failing for, $18 last failure, $19 probes, $20 slow start, $21 next probe, $22
-- latency, $23 held until, $24 pace, $25 pacing; $26 sealed with, $27 settings. One that is there
-- already is left as it is.
WITH s AS (
    INSERT INTO outhook.subscriptions (id, tenant, name, url, events, header_names, header_values,
        secrets, overlap_until,
        status, disabled_reason, created_at, updated_at, subscribed_at, sealed_with,
        settings)
    VALUES ($1::text, $2::text, $3::text, $4::text, $5::text[], $6::text[], $7::text[],
        $8::bytea[], $9::timestamptz,
        $10::text, $11::text, $12::timestamptz, $13::timestamptz, $14::timestamptz, $26::text,
        $27::text::jsonb)
    ON CONFLICT (id) DO NOTHING
    RETURNING *
), w AS (
    INSERT INTO outhook.subscription_patterns (tenant, pattern, sub)
    SELECT DISTINCT s.tenant, p, s.num FROM s, unnest(CASE WHEN cardinality(s.events) = 0
        THEN '{""}' ELSE s.events END) AS p
    WHERE s.status IN ('Subscribed', 'Paused', 'Unverified') OR s.disabled_reason <> '')
INSERT INTO outhook.health (sub, healthy, failures, failing_for, last_failure, probes, slow_start,
    next_probe_at, latency,
    held_until, pace, pacing)
SELECT num, $15::boolean, $16::int, $17::bigint, $18::timestamptz, $19::int, $20::int,
    $21::timestamptz, $22::bigint,
    $23::timestamptz, $24::bigint, $25::text::jsonb
FROM s
