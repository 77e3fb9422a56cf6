-- One delivery a row: $1 place of the event, $2 id, $3 type, $4 tenant, $5 key, $6 time, $7
-- enqueued at, $8 body, $9 subscription, $10 attempts, $11 retry, $12 due, as a number that says at
-- once or a time, $13 last status, $14 last error, $15 log, $16 answers, $17 trace, $18 override,
-- $19 state of the body, $20 the largest due that is no time, $21 tags with commas between them, $22
-- not before, $23 expires at, each empty if no event has any. Those that are there already are left
-- as they are, and nothing is added to events that were erased here. See importhistory for the
-- times.
WITH d AS MATERIALIZED (
    SELECT d.*, s.num AS sub
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
        $7::timestamptz[], $8::bytea[],
        $9::text[], $10::int[], $11::int[], $12::bigint[], $13::smallint[], $14::text[],
            $15::bytea[], $16::bytea[], $17::text[],
        $18::bytea[], $19::smallint[], $21::text[], $22::timestamptz[], $23::timestamptz[])
        AS d(seq, id, type, tenant, key, time, enqueued_at, body, sub_id, attempts, retry, due,
            status, error, log, answers, trace, override, body_state, tags, not_before, expires_at)
    JOIN outhook.subscriptions s ON s.id = d.sub_id
), stored AS (
    INSERT INTO outhook.events (seq, id, type, tenant, key, time, enqueued_at, body, trace,
        recipients, tags, not_before, expires_at) OVERRIDING SYSTEM VALUE
    SELECT DISTINCT ON (seq) seq, id, type, tenant, key, time, enqueued_at, body, trace,
        (SELECT array_agg(o.sub ORDER BY o.sub) FROM d o WHERE o.seq = d.seq),
        string_to_array(tags, ','), not_before, expires_at
    FROM d ORDER BY seq
    ON CONFLICT (id, tenant) DO UPDATE SET recipients = ARRAY(
        SELECT DISTINCT x FROM unnest(events.recipients || EXCLUDED.recipients) AS x ORDER BY x)
    WHERE events.erased_at IS NULL
    RETURNING id, tenant, seq, enqueued_at, expires_at
), expiring AS (
    INSERT INTO outhook.expiries (at, seq) SELECT expires_at, seq FROM stored
        WHERE expires_at IS NOT NULL ON CONFLICT DO NOTHING
), raised AS ( -- who searches since a time goes by these
    UPDATE outhook.event_times t SET at = s.latest
    FROM (SELECT min(seq) AS first, max(enqueued_at) AS latest FROM stored) s
    WHERE t.seq >= s.first AND t.at < s.latest
), queued AS (
    INSERT INTO outhook.deliveries (sub, seq, due, due_since, attempts, base, last_status, key,
        last_error, log, answers, body,
        body_state)
    SELECT d.sub, e.seq, CASE WHEN d.attempts > 0 THEN d.due ELSE 0 END,
        CASE WHEN d.attempts > 0 AND d.due <= $20::bigint THEN d.enqueued_at END, d.attempts,
            d.attempts - d.retry, d.status, nullif(d.key, ''),
        nullif(d.error, ''), d.log, d.answers, d.override, d.body_state
    FROM d JOIN stored e ON e.id = d.id AND e.tenant = d.tenant
    ON CONFLICT DO NOTHING
    RETURNING sub, seq
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs) SELECT sub % 64, false, array_agg(sub),
        array_agg(seq) FROM queued GROUP BY 1
)
SELECT count(*) FROM queued
