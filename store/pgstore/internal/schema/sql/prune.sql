-- $1 how many at most of each kind; $2, $3: how long delivered and failed ones are kept, in
-- microseconds; NULL is for ever; $4 the first bucket of counts that is kept; $5, $6: when those
-- had finished that the last step has removed last, or NULL. An event goes with the last of its
-- deliveries. One that is above the low mark of a share would be pending there without its row, so
-- the event forgets it. Returns how many there were of the kind that had most, and the next $5 and
-- $6.
--
-- A step begins where the last one has ended. What that has removed is still in the index until the
-- server has vacuumed, which an open transaction may keep it from for hours, and each step would
-- read past all of it.
--
-- What somebody else has locked is skipped and left for the next step. Cancellations and deleted
-- subscriptions stay for a day after they are purged: a transaction of the host's that began before
-- may commit deliveries of theirs until then.
WITH delivered AS MATERIALIZED (
    SELECT sub, seq, finished_at FROM outhook.deliveries
    WHERE state = 1 AND finished_at < statement_timestamp() - $2::bigint * interval '1 microsecond'
        AND finished_at >= coalesce($5::timestamptz, '-infinity')
    ORDER BY finished_at LIMIT $1::int FOR UPDATE SKIP LOCKED
), failed AS MATERIALIZED (
    SELECT sub, seq, finished_at FROM outhook.deliveries
    WHERE state > 1 AND finished_at < statement_timestamp() - $3::bigint * interval '1 microsecond'
        AND finished_at >= coalesce($6::timestamptz, '-infinity')
    ORDER BY finished_at LIMIT $1 FOR UPDATE SKIP LOCKED
), past AS MATERIALIZED (
    SELECT * FROM delivered UNION ALL SELECT * FROM failed
), gone AS (
    DELETE FROM outhook.deliveries d USING past WHERE d.sub = past.sub AND d.seq = past.seq
), forgotten AS (
    DELETE FROM outhook.events e
    WHERE e.seq = ANY (ARRAY(SELECT seq FROM past)) AND NOT EXISTS (
        SELECT 1 FROM unnest(e.recipients) AS r(sub)
        JOIN outhook.subscriptions s ON s.num = r.sub JOIN outhook.shares h ON h.id = r.sub % 64
        WHERE NOT EXISTS (SELECT 1 FROM past WHERE past.sub = r.sub AND past.seq = e.seq)
          AND (e.seq > h.low OR EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub
              AND d.seq = e.seq)))
    RETURNING e.seq
), shrunk AS (
    UPDATE outhook.events e SET recipients = ARRAY(SELECT x FROM unnest(e.recipients) AS x
        WHERE x <> ALL (p.subs) ORDER BY x)
    FROM (
        SELECT past.seq, array_agg(past.sub) AS subs FROM past
            JOIN outhook.shares h ON h.id = past.sub % 64
        WHERE past.seq > h.low GROUP BY past.seq ORDER BY past.seq) p
    WHERE e.seq = p.seq AND e.seq NOT IN (SELECT seq FROM forgotten)
), uncounted AS MATERIALIZED (
    SELECT sub, bucket, writer FROM outhook.attempt_counts WHERE bucket < $4::bigint
        ORDER BY bucket LIMIT $1 FOR UPDATE SKIP LOCKED
), dropped AS (
    DELETE FROM outhook.attempt_counts t USING uncounted u WHERE t.sub = u.sub
        AND t.bucket = u.bucket AND t.writer = u.writer
), old AS (
    DELETE FROM outhook.cancellations WHERE purged AND at < statement_timestamp() - interval '1 day'
), older AS (
    DELETE FROM outhook.deleted_subscriptions
    WHERE purged AND at < statement_timestamp() - interval '1 day'
)
SELECT greatest((SELECT count(*) FROM delivered), (SELECT count(*) FROM failed),
    (SELECT count(*) FROM uncounted)),
    coalesce((SELECT max(finished_at) FROM delivered), $5),
    coalesce((SELECT max(finished_at) FROM failed), $6)
