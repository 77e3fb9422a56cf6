-- Events of a tenant, one a row: $1 number, $2 id, $3 type, $4 tenant, $5 key, $6 time, $7 trace,
-- $8 body, or NULL if it was erased, $9 enqueued at. Their deliveries, one a row: $10 event, $11
-- subscription, $12 state, $13 due, $14 since when, if at once, $15 finished at, $16 attempts, $17
-- how many of them are no retries, $18 last status, $19 last error, $20 reason, $21 log, $22
-- answers, $23 state of the body, $24 body; of the events, $25 tags with commas between them, $26
-- not before, $27 expires at, each empty if no event has any. An event that is there is left as it is, with its
-- deliveries.
WITH e AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
        $6::timestamptz[], $7::text[], $8::bytea[], $9::timestamptz[], $25::text[],
        $26::timestamptz[], $27::timestamptz[])
        AS e(seq, id, type, tenant, key, time, trace, body, enqueued_at, tags, not_before, expires_at)
), d AS MATERIALIZED (
    SELECT * FROM unnest($10::bigint[], $11::bigint[], $12::smallint[], $13::bigint[],
        $14::timestamptz[], $15::timestamptz[], $16::int[], $17::int[], $18::smallint[],
        $19::text[], $20::text[], $21::bytea[], $22::bytea[], $23::smallint[], $24::bytea[])
        AS d(seq, sub, state, due, due_since, finished_at, attempts, base, status, error, reason,
            log, answers, body_state, body)
), stored AS (
    INSERT INTO outhook.events (seq, id, type, tenant, key, time, enqueued_at, body, trace,
        erased_at, recipients, tags, not_before, expires_at) OVERRIDING SYSTEM VALUE
    SELECT e.seq, e.id, e.type, e.tenant, e.key, e.time, e.enqueued_at, coalesce(e.body, ''),
        e.trace, CASE WHEN e.body IS NULL THEN statement_timestamp() END, r.subs,
        string_to_array(e.tags, ','), e.not_before, e.expires_at
    FROM e JOIN (SELECT d.seq, array_agg(d.sub ORDER BY d.sub) AS subs FROM d GROUP BY d.seq) r
        USING (seq)
    ORDER BY e.seq
    ON CONFLICT (id, tenant) DO NOTHING
    RETURNING seq, key, expires_at
), expiring AS (
    INSERT INTO outhook.expiries (at, seq) SELECT expires_at, seq FROM stored
        WHERE expires_at IS NOT NULL
), queued AS (
    INSERT INTO outhook.deliveries (sub, seq, state, due, due_since, finished_at, attempts, base,
        last_status, key, last_error, reason, log, answers, body_state, body)
    SELECT d.sub, d.seq, d.state, d.due, d.due_since, d.finished_at, d.attempts,
        nullif(d.base, 0), d.status, CASE WHEN d.state = 0 THEN nullif(s.key, '') END, d.error,
        d.reason, d.log, d.answers, d.body_state, d.body
    FROM stored s JOIN d USING (seq) ORDER BY d.sub, d.seq
    RETURNING sub, seq, state
)
INSERT INTO outhook.notices (share, fresh, subs, seqs)
SELECT sub % 64, false, array_agg(sub), array_agg(seq) FROM queued WHERE state = 0 GROUP BY 1
