SELECT q.seq, q.sub, s.id AS sub_id, e.id, e.type, e.tenant,
    CASE WHEN q.epoch = s.epoch THEN 'pending' ELSE 'canceled' END AS state, q.attempts, e.enqueued_at,
    CASE WHEN q.epoch = s.epoch THEN q.due END AS due,
    CASE WHEN q.epoch <> s.epoch THEN coalesce(c.at, s.updated_at) END AS finished_at,
    q.last_status, CASE WHEN q.epoch = s.epoch THEN q.last_error ELSE coalesce(c.reason, 'unsubscribed') END AS last_error,
    e.erased
FROM outhook.queue q
JOIN outhook.subscriptions s ON s.num = q.sub
JOIN outhook.events e ON e.seq = q.seq
LEFT JOIN outhook.cancellations c ON c.sub = q.sub AND c.epoch = q.epoch
