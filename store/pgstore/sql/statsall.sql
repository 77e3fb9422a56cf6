SELECT (SELECT count(*) FROM outhook.subscriptions),
    (SELECT count(*) FROM outhook.queue q JOIN outhook.subscriptions s ON s.num = q.sub AND s.epoch = q.epoch),
    (SELECT count(*) FROM outhook.leases WHERE token <> 0 AND leased_till > statement_timestamp()),
    (SELECT e.enqueued_at FROM outhook.queue q
     JOIN outhook.subscriptions s ON s.num = q.sub AND s.epoch = q.epoch
     JOIN outhook.events e ON e.seq = q.seq
     ORDER BY q.seq LIMIT 1)
