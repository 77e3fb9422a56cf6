-- $1 num, $2 version, $3 name … $10 disabled reason, $11 overlap until, $12 sealed with. Returns nothing when another version has come since.
WITH old AS MATERIALIZED (
    SELECT * FROM outhook.subscriptions WHERE num = $1 AND version = $2
), step AS MATERIALIZED (
    SELECT old.num, old.epoch,
        old.status <> 'Subscribed' AND $9::text = 'Subscribed' AS begins,
        old.status = 'Subscribed' AND $9 <> 'Subscribed' AS ends,
        old.url <> $4 AS moves
    FROM old
), s AS (
    UPDATE outhook.subscriptions s SET name = $3::text, url = $4::text, events = $5::text[], header_names = $6::text[], header_values = $7::text[],
        secrets = $8::bytea[], status = $9, disabled_reason = $10::text, overlap_until = $11::timestamptz, sealed_with = $12::text,
        updated_at = greatest(statement_timestamp(), s.updated_at + interval '1 microsecond'), version = s.version + 1,
        subscribed_at = CASE WHEN step.begins THEN statement_timestamp() ELSE s.subscribed_at END,
        epoch = s.epoch + CASE WHEN step.ends THEN 1 ELSE 0 END
    FROM step WHERE s.num = step.num
    RETURNING s.*
), unwanted AS (
    DELETE FROM outhook.wants w USING s WHERE w.sub = s.num AND NOT EXISTS (
        SELECT 1 FROM unnest(CASE WHEN cardinality(s.events) = 0 THEN '{""}' ELSE s.events END) AS p
        WHERE p = w.pattern AND (s.status = 'Subscribed' OR s.disabled_reason <> ''))
), wanted AS (
    INSERT INTO outhook.wants (tenant, pattern, sub)
    SELECT DISTINCT s.tenant, p, s.num FROM s, unnest(CASE WHEN cardinality(s.events) = 0 THEN '{""}' ELSE s.events END) AS p
    WHERE s.status = 'Subscribed' OR s.disabled_reason <> ''
    ON CONFLICT DO NOTHING
), canceled AS (
    INSERT INTO outhook.cancellations (sub, epoch, at, reason)
    SELECT num, epoch, statement_timestamp(), CASE WHEN $10 = '' THEN 'unsubscribed' ELSE $10 END FROM step WHERE ends
), freed AS (
    UPDATE outhook.leases l SET token = 0, leased_till = NULL
    WHERE l.slot = ANY (ARRAY(
        SELECT l.slot FROM outhook.leases l JOIN step ON step.num = l.sub WHERE step.ends AND l.token <> 0
        ORDER BY l.slot FOR UPDATE OF l))
), turned AS (
    UPDATE outhook.turns t SET epoch = step.epoch + 1, ready = false, due = NULL, next = 0, keyed = false, retry_first = false
    FROM step WHERE step.ends AND t.sub = step.num
), healed AS (
    UPDATE outhook.health h SET healthy = false, failures = 0, failing_for = 0, last_failure = NULL, probes = 0, slow_start = 0,
        next_probe_at = NULL
    FROM step WHERE (step.begins OR step.moves) AND h.sub = step.num
), signaled AS (
    INSERT INTO outhook.signals (sub) SELECT num FROM step WHERE begins OR moves
)
SELECT s.num, s.id, s.tenant, s.name, s.url, s.events, s.header_names, s.header_values, s.secrets, s.overlap_until,
    s.status, s.disabled_reason, s.created_at, s.updated_at, s.subscribed_at, s.version, s.sealed_with
FROM s
