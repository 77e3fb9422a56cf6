-- One finished delivery a row, newest first: $1 event, $2 type, $3 tenant, $4 enqueued at, $5
-- subscription, $6 state, $7 attempts, $8 last status, $9 finished at, $10 last error, $11 log, $12
-- answers. Events that are not there go before all others, as erased ones. Deliveries that are
-- there are left as they are.
WITH d AS MATERIALIZED (
    SELECT d.*, s.num AS sub
    FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::smallint[],
        $7::int[], $8::smallint[],
        $9::timestamptz[], $10::text[], $11::bytea[], $12::bytea[]) WITH ORDINALITY
        AS d(id, type, tenant, enqueued_at, sub_id, state, attempts, status, finished_at, error,
            log, answers, ord)
    JOIN outhook.subscriptions s ON s.id = d.sub_id
), stored AS (
    INSERT INTO outhook.events (seq, id, type, tenant, key, time, enqueued_at, body, trace,
        erased_at, recipients) OVERRIDING SYSTEM VALUE
    SELECT least((SELECT min(seq) FROM outhook.events), 1) - row_number() OVER (ORDER BY e.ord),
        id, type, tenant, '',
        enqueued_at, enqueued_at, '', '', statement_timestamp(),
        (SELECT array_agg(DISTINCT o.sub ORDER BY o.sub) FROM d o WHERE o.id = e.id
            AND o.tenant = e.tenant)
    FROM (SELECT DISTINCT ON (id, tenant) * FROM d ORDER BY id, tenant, ord) e
    ON CONFLICT (id, tenant) DO UPDATE SET recipients = ARRAY(
        SELECT DISTINCT x FROM unnest(events.recipients || EXCLUDED.recipients) AS x ORDER BY x)
    RETURNING id, tenant, seq
), kept AS (
    INSERT INTO outhook.deliveries (sub, seq, state, attempts, last_status, finished_at,
        last_error, reason, log, answers)
    SELECT d.sub, e.seq, d.state, d.attempts, d.status, d.finished_at, CASE d.state WHEN 3
        THEN NULL ELSE nullif(d.error, '') END,
        CASE d.state WHEN 3 THEN d.error END, d.log, d.answers
    FROM d JOIN stored e ON e.id = d.id AND e.tenant = d.tenant
    ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM kept
