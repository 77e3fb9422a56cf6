-- $1 ids, $2 types, $3 tenants, $4 keys, $5 times, $6 bodies, $7 traces, $8 kinds: those of one kind have the same tenant and
-- type; one pattern a row: $9 kind, $10 its tenant, $11 pattern; $12 how many deliveries at most, or else nothing is done but
-- to count them, as a line of kind and count for each; $13 the table of events. A subscription from the future is one from before the server's clock was set back:
-- it is subscribed now.
--
-- Nothing here joins events with deliveries, which a planner that knows the size of neither does in nested loops: who takes
-- a kind is gathered into arrays, one row a kind, and an event has its place before it is stored.
WITH e AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[], $7::text[], $8::int[])
        WITH ORDINALITY AS e(id, type, tenant, key, time, body, trace, kind, ord)
), known AS MATERIALIZED (
    SELECT e.ord, k.erased OR (k.type, k.tenant, k.key, k.time, k.body) = (e.type, e.tenant, e.key, e.time, e.body) AS same
    FROM e CROSS JOIN LATERAL (SELECT * FROM outhook.events k WHERE k.id = e.id OFFSET 0) k
), allowed AS MATERIALIZED (
    SELECT NOT EXISTS (SELECT 1 FROM known WHERE NOT same) AS ok
), takers AS MATERIALIZED ( -- reason: NULL where deliveries are pending
    SELECT t.kind, count(*) AS n, array_agg(t.sub) AS subs, array_agg(t.epoch) AS epochs, array_agg(t.reason) AS reasons,
        array_agg(t.since) AS sinces, min(t.since) AS since
    FROM (
        SELECT DISTINCT p.kind, s.*
        FROM unnest($9::int[], $10::text[], $11::text[]) AS p(kind, tenant, pattern)
        CROSS JOIN LATERAL (
            SELECT w.sub FROM outhook.wants w WHERE w.tenant = p.tenant AND w.pattern = p.pattern OFFSET 0) w
        CROSS JOIN LATERAL (
            SELECT s.num AS sub, s.epoch, CASE WHEN s.status <> 'Subscribed' THEN s.disabled_reason END AS reason,
                least(coalesce(s.subscribed_at, '-infinity'), statement_timestamp()) AS since
            FROM outhook.subscriptions s WHERE s.num = w.sub OFFSET 0) s
        ORDER BY p.kind, s.sub) t
    GROUP BY t.kind
), width AS MATERIALIZED (
    SELECT kind, n FROM takers
), wide AS MATERIALIZED (
    SELECT coalesce(sum(w.n), 0) > $12::bigint AS is FROM e JOIN width w USING (kind) WHERE e.ord NOT IN (SELECT ord FROM known)
), numbered AS MATERIALIZED (
    SELECT e.*, nextval((SELECT pg_get_serial_sequence($13::text, 'seq'))::regclass) AS seq
    FROM (
        SELECT e.* FROM e JOIN takers t USING (kind)
        WHERE (SELECT ok FROM allowed) AND NOT (SELECT w.is FROM wide w) AND e.ord NOT IN (SELECT ord FROM known)
          AND t.since <= e.time + interval '1 minute'
        ORDER BY e.ord) e
), stored AS (
    INSERT INTO outhook.events (seq, id, type, tenant, key, time, enqueued_at, body, trace) OVERRIDING SYSTEM VALUE
    SELECT seq, id, type, tenant, key, time, statement_timestamp(), body, trace FROM numbered
), placed AS MATERIALIZED (
    SELECT n.seq, n.key, u.sub, u.epoch, u.reason
    FROM numbered n JOIN takers t USING (kind)
    CROSS JOIN LATERAL unnest(t.subs, t.epochs, t.reasons, t.sinces) AS u(sub, epoch, reason, since)
    WHERE u.since <= n.time + interval '1 minute'
), queued AS (
    INSERT INTO outhook.queue (seq, sub, epoch, due, key)
    SELECT seq, sub, epoch, statement_timestamp(), key FROM placed WHERE reason IS NULL ORDER BY seq, sub
), canceled AS (
    INSERT INTO outhook.history (seq, sub, state, attempts, last_status, finished_at, last_error, reason, log)
    SELECT seq, sub, 'canceled', 0, 0, statement_timestamp(), '', reason, '' FROM placed WHERE reason IS NOT NULL
), signaled AS (
    INSERT INTO outhook.signals (sub, seq, keyed)
    SELECT sub, min(seq), bool_or(key <> '') FROM placed WHERE reason IS NULL GROUP BY sub
)
SELECT ok, (SELECT e.id FROM known JOIN e USING (ord) WHERE NOT same LIMIT 1),
    CASE WHEN (SELECT w.is FROM wide w) THEN (SELECT string_agg(kind || ' ' || n, E'\n') FROM width) END
FROM allowed
