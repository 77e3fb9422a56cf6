-- $1 how many numbers of events a row stands for: notes until when the next so many events were
-- enqueued, if there are as many, and forgets rows that are before all events. Returns how many
-- rows it has added. Who stores events with older numbers raises the rows (importhistory), and
-- holds a lock that Prune waits for.
WITH last AS MATERIALIZED (
    SELECT t.seq, t.at FROM outhook.event_times t ORDER BY t.seq DESC LIMIT 1
), noted AS (
    INSERT INTO outhook.event_times (seq, at)
    SELECT last.seq + $1::bigint, greatest(last.at, (SELECT max(e.enqueued_at)
        FROM outhook.events e WHERE e.seq > last.seq AND e.seq <= last.seq + $1))
    FROM last WHERE last.seq + $1 < (SELECT e.seq FROM outhook.events e ORDER BY e.seq DESC LIMIT 1)
    RETURNING seq
), gone AS (
    DELETE FROM outhook.event_times t USING last
    WHERE t.seq < least(last.seq, (SELECT e.seq FROM outhook.events e ORDER BY e.seq LIMIT 1) - $1)
)
SELECT count(*) FROM noted
