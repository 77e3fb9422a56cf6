-- $1 events. A log keeps all of its lines but the answers.
WITH e AS MATERIALIZED (
    SELECT e.seq FROM unnest($1::bigint[]) AS k(seq)
    CROSS JOIN LATERAL (SELECT e.seq FROM outhook.events e WHERE e.seq = k.seq AND NOT e.erased OFFSET 0) e
), emptied AS (
    UPDATE outhook.events x SET body = '', trace = '', erased = true FROM e WHERE x.seq = e.seq
), pending AS MATERIALIZED (
    SELECT q.*, q.epoch = s.epoch AS current FROM e
    CROSS JOIN LATERAL (SELECT q.* FROM outhook.queue q WHERE q.seq = e.seq OFFSET 0) q
    CROSS JOIN LATERAL (SELECT s.epoch FROM outhook.subscriptions s WHERE s.num = q.sub OFFSET 0) s
), ended AS (
    DELETE FROM outhook.queue q USING pending p WHERE q.seq = p.seq AND q.sub = p.sub AND p.current
), canceled AS (
    INSERT INTO outhook.history (seq, sub, state, attempts, last_status, finished_at, last_error, reason, log)
    SELECT seq, sub, 'canceled', attempts, last_status, statement_timestamp(), last_error, 'erased',
        regexp_replace(log, ',"response":"[A-Za-z0-9+/=]*"', '', 'g')
    FROM pending WHERE current
), over AS ( -- those of an epoch that is over
    UPDATE outhook.queue q SET body = NULL, body_state = 0, log = regexp_replace(q.log, ',"response":"[A-Za-z0-9+/=]*"', '', 'g')
    FROM pending p WHERE q.seq = p.seq AND q.sub = p.sub AND NOT p.current
), past AS (
    UPDATE outhook.history h SET body = NULL, body_state = 0, log = regexp_replace(h.log, ',"response":"[A-Za-z0-9+/=]*"', '', 'g')
    FROM e WHERE h.seq = e.seq
), freed AS (
    UPDATE outhook.leases l SET token = 0, leased_till = NULL FROM e WHERE l.seq = e.seq AND l.token <> 0
), unparked AS (
    UPDATE outhook.queue q SET lane = CASE WHEN q.attempts > 0 THEN 1 ELSE 0 END
    FROM (
        SELECT p.sub, n.seq FROM (SELECT DISTINCT sub, epoch, key FROM pending WHERE current AND key <> '') p
        CROSS JOIN LATERAL (
            SELECT n.seq FROM outhook.queue n
            WHERE n.sub = p.sub AND n.epoch = p.epoch AND n.key = p.key AND n.key <> '' AND n.seq NOT IN (SELECT seq FROM e)
            ORDER BY n.seq LIMIT 1) n) n
    WHERE q.seq = n.seq AND q.sub = n.sub AND q.lane = 2
    RETURNING q.sub, q.seq
), signaled AS (
    INSERT INTO outhook.signals (sub, seq, keyed)
    SELECT sub, min(seq), bool_or(keyed) FROM (
        SELECT sub, 9223372036854775807 AS seq, false AS keyed FROM pending WHERE current
        UNION ALL
        SELECT sub, seq, true FROM unparked) x
    GROUP BY sub
)
SELECT count(*) FROM e
