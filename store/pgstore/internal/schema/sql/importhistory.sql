-- One finished delivery a row: $1 number for the event, if it is not there yet, $2 event, $3 type,
-- $4 tenant, $5 key, $6 time, $7 trace, $8 body, or NULL if it was erased, $9 enqueued at, $10
-- subscription, $11 state, $12 attempts, $13 last status, $14 finished at, $15 last error, $16 log,
-- $17 answers, $18 tags with commas between them, $19 not before, $20 expires at, each empty if no
-- event has any. Deliveries that are there are left as they are. Prune may have noted until when
-- events of such numbers were enqueued, before these were there (see notetimes).
WITH d AS MATERIALIZED (
    SELECT d.*, s.num AS sub
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
        $7::text[], $8::bytea[], $9::timestamptz[], $10::text[], $11::smallint[], $12::int[],
        $13::smallint[], $14::timestamptz[], $15::text[], $16::bytea[], $17::bytea[],
        $18::text[], $19::timestamptz[], $20::timestamptz[])
        AS d(seq, id, type, tenant, key, time, trace, body, enqueued_at, sub_id, state, attempts,
            status, finished_at, error, log, answers, tags, not_before, expires_at)
    JOIN outhook.subscriptions s ON s.id = d.sub_id
), stored AS (
    INSERT INTO outhook.events (seq, id, type, tenant, key, time, enqueued_at, body, trace,
        erased_at, recipients, tags, not_before, expires_at) OVERRIDING SYSTEM VALUE
    SELECT DISTINCT ON (seq) seq, id, type, tenant, key, time, enqueued_at, coalesce(body, ''),
        trace, CASE WHEN body IS NULL THEN statement_timestamp() END,
        (SELECT array_agg(DISTINCT o.sub ORDER BY o.sub) FROM d o WHERE o.seq = d.seq),
        string_to_array(tags, ','), not_before, expires_at
    FROM d ORDER BY seq
    ON CONFLICT (id, tenant) DO UPDATE SET recipients = ARRAY(
        SELECT DISTINCT x FROM unnest(events.recipients || EXCLUDED.recipients) AS x ORDER BY x)
    RETURNING id, tenant, seq, enqueued_at
), raised AS ( -- who searches since a time goes by these
    UPDATE outhook.event_times t SET at = s.latest
    FROM (SELECT min(seq) AS first, max(enqueued_at) AS latest FROM stored) s
    WHERE t.seq >= s.first AND t.at < s.latest
), kept AS (
    INSERT INTO outhook.deliveries (sub, seq, state, attempts, last_status, finished_at,
        last_error, reason, log, answers, body_state)
    SELECT d.sub, e.seq, d.state, d.attempts, d.status, d.finished_at,
        CASE d.state WHEN 3 THEN NULL ELSE nullif(d.error, '') END,
        CASE d.state WHEN 3 THEN d.error END, d.log, d.answers,
        CASE WHEN d.attempts > 0 THEN 3 ELSE 0 END -- a redelivery decides anew what is sent
    FROM d JOIN stored e ON e.id = d.id AND e.tenant = d.tenant
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM kept
