-- One finished delivery a row, newest first: $1 event, $2 type, $3 tenant, $4 enqueued at, $5 subscription, $6 state,
-- $7 attempts, $8 last status, $9 finished at, $10 last error, $11 log. Events that are not there go before all others, as
-- erased ones. Deliveries that are there are left as they are.
WITH d AS MATERIALIZED (
    SELECT d.*, s.num AS sub
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::int[], $8::int[],
        $9::timestamptz[], $10::text[], $11::text[]) WITH ORDINALITY
        AS d(id, type, tenant, enqueued_at, sub_id, state, attempts, status, finished_at, error, log, ord)
    JOIN outhook.subscriptions s ON s.id = d.sub_id
), stored AS (
    INSERT INTO outhook.events (seq, id, type, tenant, key, time, enqueued_at, body, erased) OVERRIDING SYSTEM VALUE
    SELECT least((SELECT min(seq) FROM outhook.events), 1) - row_number() OVER (ORDER BY e.ord), id, type, tenant, '',
        enqueued_at, enqueued_at, '', true
    FROM (SELECT DISTINCT ON (id) * FROM d ORDER BY id, ord) e
    WHERE NOT EXISTS (SELECT 1 FROM outhook.events k WHERE k.id = e.id)
    ON CONFLICT (id) DO NOTHING
    RETURNING id, seq
), placed AS MATERIALIZED (
    SELECT d.*, coalesce(stored.seq, e.seq) AS place FROM d
    LEFT JOIN stored ON stored.id = d.id LEFT JOIN outhook.events e ON e.id = d.id
), kept AS (
    INSERT INTO outhook.history (seq, sub, state, attempts, last_status, finished_at, last_error, reason, log)
    SELECT place, sub, state, attempts, status, finished_at, CASE state WHEN 'canceled' THEN '' ELSE error END,
        CASE state WHEN 'canceled' THEN error ELSE '' END, log
    FROM placed p
    WHERE place IS NOT NULL AND NOT EXISTS (SELECT 1 FROM outhook.queue q WHERE q.seq = p.place AND q.sub = p.sub)
    ON CONFLICT (seq, sub) DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM kept
