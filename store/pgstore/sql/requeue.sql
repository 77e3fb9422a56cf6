-- $1 events, $2 subscriptions: the deliveries to make due now. Those that are not what they were are left alone.
-- How many there were, and the IDs of the subscriptions that are held.
WITH k AS MATERIALIZED (
    SELECT k.seq, k.sub, s.epoch
    FROM unnest($1::bigint[], $2::bigint[]) AS k(seq, sub)
    CROSS JOIN LATERAL (
        SELECT s.epoch FROM outhook.subscriptions s WHERE s.num = k.sub AND s.status = 'Subscribed' OFFSET 0) s
    CROSS JOIN LATERAL (SELECT 1 FROM outhook.events e WHERE e.seq = k.seq AND NOT e.erased OFFSET 0) e
), past AS (
    DELETE FROM outhook.history h USING k WHERE h.seq = k.seq AND h.sub = k.sub
    RETURNING h.*, k.epoch
), back AS (
    INSERT INTO outhook.queue (seq, sub, epoch, lane, attempts, retry, last_status, due, key, last_error, log, body, body_state)
    SELECT p.seq, p.sub, p.epoch, CASE WHEN p.attempts > 0 THEN 1 ELSE 0 END, p.attempts, 0, p.last_status,
        statement_timestamp(), e.key, p.last_error, p.log, p.body, p.body_state
    FROM past p JOIN outhook.events e USING (seq)
    RETURNING sub, seq, key
), canceled AS ( -- of an epoch that is over
    UPDATE outhook.queue q SET epoch = k.epoch, lane = CASE WHEN q.attempts > 0 THEN 1 ELSE 0 END, retry = 0,
        due = statement_timestamp()
    FROM k WHERE q.seq = k.seq AND q.sub = k.sub AND q.epoch <> k.epoch
    RETURNING q.sub, q.seq, q.key
), waiting AS (
    UPDATE outhook.queue q SET due = statement_timestamp()
    FROM k WHERE q.seq = k.seq AND q.sub = k.sub AND q.epoch = k.epoch AND q.due > statement_timestamp()
      AND NOT EXISTS (
        SELECT 1 FROM outhook.leases l
        WHERE l.sub = q.sub AND l.seq = q.seq AND l.token <> 0 AND l.leased_till > statement_timestamp())
    RETURNING q.sub, q.seq, q.key
), changed AS MATERIALIZED (
    SELECT * FROM back UNION ALL SELECT * FROM canceled UNION ALL SELECT * FROM waiting
), signaled AS (
    INSERT INTO outhook.signals (sub, seq, keyed) SELECT sub, min(seq), bool_or(key <> '') FROM changed GROUP BY sub
)
SELECT (SELECT count(*) FROM changed), ARRAY(
    SELECT s.id FROM (SELECT DISTINCT sub FROM k) m
    CROSS JOIN LATERAL (SELECT 1 FROM outhook.health h WHERE h.sub = m.sub AND h.next_probe_at > statement_timestamp() OFFSET 0) h
    CROSS JOIN LATERAL (SELECT s.id FROM outhook.subscriptions s WHERE s.num = m.sub OFFSET 0) s)
