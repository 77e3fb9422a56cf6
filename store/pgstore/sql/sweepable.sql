SELECT pg_try_advisory_xact_lock($1), EXISTS (
    SELECT 1 FROM outhook.cancellations c
    WHERE EXISTS (SELECT 1 FROM outhook.queue q WHERE q.sub = c.sub AND q.epoch = c.epoch))
