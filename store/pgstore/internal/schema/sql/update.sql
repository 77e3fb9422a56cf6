-- $1 num, $2 version, $3 name … $10 disabled reason, $11 overlap until, $12 the table of events,
-- $13 sealed with, $14 settings. Returns nothing when another version has come since. What is
-- pending when it is unsubscribed is canceled by a number: nothing of it is touched. The health
-- after it is that of store.Health.Updated, where 8 is MaxSlowStart.
WITH old AS MATERIALIZED (
    SELECT * FROM outhook.subscriptions WHERE num = $1 AND version = $2
), step AS MATERIALIZED (
    SELECT old.num,
        old.status NOT IN ('Subscribed', 'Paused', 'Unverified')
            AND $9::text IN ('Subscribed', 'Paused', 'Unverified')
            AS begins,
        old.status IN ('Paused', 'Unverified') AND $9 = 'Subscribed' AS resumes,
        old.url <> $4 AS moves,
        CASE WHEN old.status IN ('Subscribed', 'Paused', 'Unverified')
            AND $9 NOT IN ('Subscribed', 'Paused', 'Unverified')
            THEN nextval((SELECT pg_get_serial_sequence($12::text, 'seq'))::regclass) END AS ends
    FROM old
), s AS (
    UPDATE outhook.subscriptions s SET name = $3::text, url = $4::text, events = $5::text[],
        header_names = $6::text[], header_values = $7::text[],
        secrets = $8::bytea[], status = $9, disabled_reason = $10::text,
            overlap_until = $11::timestamptz, sealed_with = $13::text,
            settings = $14::text::jsonb,
        updated_at = greatest(statement_timestamp(), s.updated_at + interval '1 microsecond'),
            version = s.version + 1,
        subscribed_at = CASE WHEN step.begins THEN statement_timestamp() ELSE s.subscribed_at END,
        canceled_to = coalesce(step.ends, s.canceled_to)
    FROM step WHERE s.num = step.num AND s.version = $2
    RETURNING s.*
), unwanted AS (
    DELETE FROM outhook.subscription_patterns w USING s WHERE w.sub = s.num AND NOT EXISTS (
        SELECT 1 FROM unnest(CASE WHEN cardinality(s.events) = 0 THEN '{""}' ELSE s.events END) AS p
        WHERE p = w.pattern
            AND (s.status IN ('Subscribed', 'Paused', 'Unverified') OR s.disabled_reason <> ''))
), wanted AS (
    INSERT INTO outhook.subscription_patterns (tenant, pattern, sub)
    SELECT DISTINCT s.tenant, p, s.num FROM s, unnest(CASE WHEN cardinality(s.events) = 0
        THEN '{""}' ELSE s.events END) AS p
    WHERE s.status IN ('Subscribed', 'Paused', 'Unverified') OR s.disabled_reason <> ''
    ON CONFLICT DO NOTHING
), canceled AS (
    INSERT INTO outhook.cancellations (sub, before, at, reason)
    SELECT num, ends, statement_timestamp(), CASE WHEN $10 = '' THEN 'unsubscribed'
        ELSE $10 END FROM step JOIN s USING (num) WHERE ends IS NOT NULL
), healed AS (
    UPDATE outhook.health h SET healthy = false, failures = 0, failing_for = 0,
        last_failure = NULL, probes = 0, slow_start = CASE WHEN step.resumes THEN 8 ELSE 0 END,
        next_probe_at = NULL, latency = 0, held_until = NULL, pace = 0, pacing = NULL
    FROM step JOIN s USING (num) WHERE (step.begins OR step.moves) AND h.sub = step.num
), slowed AS (
    UPDATE outhook.health h SET slow_start = 8
    FROM step JOIN s USING (num) WHERE step.resumes AND NOT step.moves AND h.sub = step.num
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs) SELECT num % 64, false, ARRAY[num],
        '{0}' FROM s
)
SELECT s.num, s.id, s.tenant, s.name, s.url, s.events, s.header_names, s.header_values, s.secrets,
    s.overlap_until,
    s.status, s.disabled_reason, s.created_at, s.updated_at, s.subscribed_at, s.version,
        s.sealed_with, s.settings
FROM s
