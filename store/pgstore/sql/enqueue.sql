-- $1 ids, $2 types, $3 tenants, $4 keys, $5 times, $6 bodies, $7 traces, $8 kinds: those of one kind have the same tenant and
-- type; one pattern a row: $9 kind, $10 its tenant, $11 pattern. A subscription from the future is one from before the
-- server's clock was set back: it is subscribed now.
WITH e AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::text[], $8::int[])
        WITH ORDINALITY AS e(id, type, tenant, key, time, body, trace, kind, ord)
), known AS MATERIALIZED (
    SELECT e.ord, k.erased OR (k.type, k.tenant, k.key, k.time, k.body) = (e.type, e.tenant, e.key, e.time, e.body) AS same
    FROM e CROSS JOIN LATERAL (SELECT * FROM outhook.events k WHERE k.id = e.id OFFSET 0) k
), allowed AS MATERIALIZED (
    SELECT NOT EXISTS (SELECT 1 FROM known WHERE NOT same) AS ok
), takers AS MATERIALIZED (
    SELECT DISTINCT p.kind, s.*
    FROM unnest($9::int[], $10::text[], $11::text[]) AS p(kind, tenant, pattern)
    CROSS JOIN LATERAL (
        SELECT w.sub FROM outhook.wants w WHERE w.tenant = p.tenant AND w.pattern = p.pattern OFFSET 0) w
    CROSS JOIN LATERAL (
        SELECT s.num AS sub, s.epoch, s.status, s.disabled_reason, s.subscribed_at
        FROM outhook.subscriptions s WHERE s.num = w.sub OFFSET 0) s
), wanted AS MATERIALIZED (
    SELECT e.ord, e.id, e.key, t.sub, t.epoch, t.status, t.disabled_reason
    FROM e JOIN takers t USING (kind)
    WHERE (t.subscribed_at IS NULL OR least(t.subscribed_at, statement_timestamp()) <= e.time + interval '1 minute')
      AND e.ord NOT IN (SELECT ord FROM known)
      AND (SELECT ok FROM allowed)
), stored AS (
    INSERT INTO outhook.events (id, type, tenant, key, time, enqueued_at, body, trace)
    SELECT id, type, tenant, key, time, statement_timestamp(), body, trace FROM e
    WHERE e.ord IN (SELECT ord FROM wanted) ORDER BY e.ord
    RETURNING seq, id
), placed AS MATERIALIZED (
    SELECT stored.seq, w.sub, w.epoch, w.key, w.status, w.disabled_reason FROM stored JOIN wanted w USING (id)
), queued AS (
    INSERT INTO outhook.queue (seq, sub, epoch, due, key)
    SELECT seq, sub, epoch, statement_timestamp(), key FROM placed WHERE status = 'Subscribed' ORDER BY seq, sub
), canceled AS (
    INSERT INTO outhook.history (seq, sub, state, attempts, last_status, finished_at, last_error, reason, log)
    SELECT seq, sub, 'canceled', 0, 0, statement_timestamp(), '', disabled_reason, '' FROM placed WHERE status <> 'Subscribed'
), signaled AS (
    INSERT INTO outhook.signals (sub, seq, keyed)
    SELECT sub, min(seq), bool_or(key <> '') FROM placed WHERE status = 'Subscribed' GROUP BY sub
)
SELECT ok, (SELECT e.id FROM known JOIN e USING (ord) WHERE NOT same LIMIT 1) FROM allowed
