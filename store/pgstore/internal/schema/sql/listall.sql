-- Deliveries by their events. One without a row is pending above the low mark of its share, and
-- below is no more. What is pending and canceled or erased has not been told so.
--
-- Package history appends conditions, an order and a limit to the last line, and makes a count of
-- what begins with the first line of FROM.
SELECT e.seq AS seq, s.num AS sub, s.id AS sub_id, e.id, e.type, e.tenant, x.state,
    coalesce(d.attempts, 0), e.enqueued_at,
    CASE WHEN x.state = 0 THEN CASE WHEN d.due > 0
        THEN coalesce(d.due_since, '1970-01-01Z'::timestamptz + d.due * interval '1 microsecond')
        ELSE e.enqueued_at END END AS due,
    CASE WHEN x.state <> 0 THEN coalesce(d.finished_at, x.at) END AS finished_at,
        coalesce(d.last_status, 0),
    coalesce(CASE x.state WHEN 1 THEN '' WHEN 3 THEN CASE WHEN d.state = 3 THEN d.reason
        ELSE x.reason END ELSE d.last_error END, ''),
    e.erased_at IS NOT NULL
FROM outhook.events e
CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)
JOIN outhook.subscriptions s ON s.num = r.sub
JOIN outhook.shares h ON h.id = r.sub % 64
LEFT JOIN outhook.deliveries d ON d.sub = r.sub AND d.seq = e.seq
LEFT JOIN LATERAL (
    SELECT c.at, c.reason FROM outhook.cancellations c
    WHERE c.sub = s.num AND c.before > coalesce(d.stamp, e.seq)
        AND coalesce(d.stamp, e.seq) < s.canceled_to
    ORDER BY c.before LIMIT 1) c ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.state <> 0 THEN d.state
            WHEN e.erased_at IS NOT NULL OR coalesce(d.stamp, e.seq) < s.canceled_to
                THEN 3::smallint ELSE 0::smallint END AS state,
        coalesce(least(e.erased_at, c.at), s.updated_at) AS at,
        CASE WHEN c.at IS NULL AND e.erased_at IS NOT NULL OR e.erased_at < c.at THEN 'erased'
            ELSE coalesce(c.reason, 'unsubscribed') END AS reason) x
WHERE (d.seq IS NOT NULL OR e.seq > h.low)
