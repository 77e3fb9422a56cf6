-- $1 how many at most of each kind; $2, $3: how long delivered and failed ones are kept, in microseconds; NULL is for ever;
-- $4 seconds in a slot of tallies, $5 for how many they are kept. Without the lock of whoever prunes, nothing is.
WITH mine AS MATERIALIZED (
    SELECT current_setting('pgstore.pruning')::boolean AS ok
), delivered AS MATERIALIZED (
    SELECT seq, sub FROM outhook.history
    WHERE (SELECT ok FROM mine) AND state = 'delivered' AND finished_at < statement_timestamp() - $2::bigint * interval '1 microsecond'
    ORDER BY finished_at LIMIT $1 FOR UPDATE SKIP LOCKED
), failed AS MATERIALIZED (
    SELECT seq, sub FROM outhook.history
    WHERE (SELECT ok FROM mine) AND state <> 'delivered' AND finished_at < statement_timestamp() - $3::bigint * interval '1 microsecond'
    ORDER BY finished_at LIMIT $1 FOR UPDATE SKIP LOCKED
), dead AS MATERIALIZED (
    SELECT h.seq, h.sub FROM outhook.graves g
    CROSS JOIN LATERAL (SELECT h.seq, h.sub FROM outhook.history h WHERE h.sub = g.sub LIMIT $1 FOR UPDATE SKIP LOCKED) h
    WHERE (SELECT ok FROM mine) LIMIT $1
), lost AS MATERIALIZED (
    SELECT q.seq, q.sub FROM outhook.graves g
    CROSS JOIN LATERAL (SELECT q.seq, q.sub FROM outhook.queue q WHERE q.sub = g.sub LIMIT $1 FOR UPDATE SKIP LOCKED) q
    WHERE (SELECT ok FROM mine) LIMIT $1
), uncounted AS MATERIALIZED (
    SELECT sub, slot, writer FROM outhook.tallies
    WHERE (SELECT ok FROM mine) AND slot < floor(extract(epoch FROM statement_timestamp() - $5::bigint * interval '1 second') / $4::bigint)::bigint
    ORDER BY slot LIMIT $1 FOR UPDATE SKIP LOCKED
), untallied AS (
    DELETE FROM outhook.tallies t USING uncounted u WHERE t.sub = u.sub AND t.slot = u.slot AND t.writer = u.writer
), past AS MATERIALIZED (
    SELECT seq, sub FROM delivered UNION SELECT seq, sub FROM failed UNION SELECT seq, sub FROM dead
), gone AS (
    DELETE FROM outhook.history h USING past WHERE h.seq = past.seq AND h.sub = past.sub
), unqueued AS (
    DELETE FROM outhook.queue q USING lost WHERE q.seq = lost.seq AND q.sub = lost.sub
), removed AS MATERIALIZED (
    SELECT seq, sub FROM past UNION SELECT seq, sub FROM lost
), forgotten AS (
    DELETE FROM outhook.events e WHERE e.seq IN (SELECT seq FROM removed)
      AND NOT EXISTS (SELECT 1 FROM outhook.queue q WHERE q.seq = e.seq AND (q.seq, q.sub) NOT IN (SELECT seq, sub FROM removed))
      AND NOT EXISTS (SELECT 1 FROM outhook.history h WHERE h.seq = e.seq AND (h.seq, h.sub) NOT IN (SELECT seq, sub FROM removed))
), marks AS (
    DELETE FROM outhook.cancellations c WHERE (SELECT ok FROM mine) AND c.at < statement_timestamp() - interval '1 day'
      AND NOT EXISTS (SELECT 1 FROM outhook.queue q WHERE q.sub = c.sub AND q.epoch = c.epoch)
), graves AS (
    DELETE FROM outhook.graves g WHERE (SELECT ok FROM mine) AND g.at < statement_timestamp() - interval '1 day'
      AND NOT EXISTS (SELECT 1 FROM outhook.queue q WHERE q.sub = g.sub)
      AND NOT EXISTS (SELECT 1 FROM outhook.history h WHERE h.sub = g.sub)
)
SELECT greatest((SELECT count(*) FROM delivered), (SELECT count(*) FROM failed),
    (SELECT count(*) FROM dead), (SELECT count(*) FROM lost), (SELECT count(*) FROM uncounted))
