-- $1 how many, or none without the lock of whoever prunes: moves deliveries of epochs that are over to the history.
WITH stale AS MATERIALIZED (
    SELECT q.*, c.at, c.reason FROM outhook.cancellations c
    CROSS JOIN LATERAL (
        SELECT q.* FROM outhook.queue q WHERE q.sub = c.sub AND q.epoch = c.epoch LIMIT $1) q
    WHERE current_setting('pgstore.pruning')::boolean
    LIMIT $1
), gone AS (
    DELETE FROM outhook.queue q USING stale WHERE q.seq = stale.seq AND q.sub = stale.sub
), kept AS (
    INSERT INTO outhook.history (seq, sub, state, attempts, last_status, finished_at, last_error, reason, log, body, body_state)
    SELECT seq, sub, 'canceled', attempts, last_status, at, last_error, reason, log, body, body_state FROM stale
)
SELECT count(*) FROM stale
