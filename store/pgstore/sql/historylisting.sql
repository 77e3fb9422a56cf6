SELECT q.seq, q.sub, s.id AS sub_id, e.id, e.type, e.tenant, q.state, q.attempts, e.enqueued_at,
    NULL::timestamptz AS due, q.finished_at, q.last_status,
    CASE q.state WHEN 'canceled' THEN q.reason WHEN 'delivered' THEN '' ELSE q.last_error END AS last_error,
    e.erased
FROM outhook.history q
JOIN outhook.subscriptions s ON s.num = q.sub
JOIN outhook.events e ON e.seq = q.seq
