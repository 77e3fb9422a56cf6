SELECT EXISTS (
    SELECT 1 FROM outhook.cancellations c
    WHERE EXISTS (SELECT 1 FROM outhook.queue q WHERE q.sub = c.sub AND q.epoch = c.epoch))
