-- One delivery a row: $1 place of the event, $2 id, $3 type, $4 tenant, $5 key, $6 time, $7 enqueued at, $8 body,
-- $9 subscription, $10 attempts, $11 retry, $12 due, $13 last status, $14 last error, $15 log, $16 trace,
-- $17 body override, $18 body state. Those that are there already
-- are left as they are, and nothing is added to events that were erased here.
WITH d AS MATERIALIZED (
    SELECT d.*, s.num AS sub, s.epoch
    FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::bytea[],
        $9::text[], $10::int[], $11::int[], $12::timestamptz[], $13::int[], $14::text[], $15::text[], $16::text[],
        $17::bytea[], $18::smallint[])
        AS d(seq, id, type, tenant, key, time, enqueued_at, body, sub_id, attempts, retry, due, status, error, log, trace, override, body_state)
    JOIN outhook.subscriptions s ON s.id = d.sub_id
), stored AS (
    INSERT INTO outhook.events (seq, id, type, tenant, key, time, enqueued_at, body, trace) OVERRIDING SYSTEM VALUE
    SELECT DISTINCT ON (seq) seq, id, type, tenant, key, time, enqueued_at, body, trace FROM d ORDER BY seq
    ON CONFLICT (id) DO NOTHING
    RETURNING id, seq
), placed AS MATERIALIZED (
    SELECT d.*, coalesce(stored.seq, e.seq) AS place FROM d
    LEFT JOIN stored ON stored.id = d.id LEFT JOIN outhook.events e ON e.id = d.id
    WHERE e.erased IS NOT TRUE
), queued AS (
    INSERT INTO outhook.queue (seq, sub, epoch, lane, attempts, retry, last_status, due, key, last_error, log, body, body_state)
    SELECT place, sub, epoch, CASE WHEN attempts > 0 THEN 1 ELSE 0 END, attempts, retry, status, due, key, error, log,
        override, body_state
    FROM placed p
    WHERE NOT EXISTS (SELECT 1 FROM outhook.history h WHERE h.seq = p.place AND h.sub = p.sub)
    ON CONFLICT (seq, sub) DO NOTHING
    RETURNING sub, seq, key
), signaled AS (
    INSERT INTO outhook.signals (sub, seq, keyed) SELECT sub, min(seq), bool_or(key <> '') FROM queued GROUP BY sub
)
SELECT count(*) FROM queued
