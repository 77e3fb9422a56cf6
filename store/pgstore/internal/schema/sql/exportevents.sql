-- $1 events: what there is of them to be moved, a delivery a row. What is pending and canceled or
-- erased is as it would be told so (see listed). Of an erased event a row may still have what its
-- delivery carried, if it has not been told so: that is not moved.
SELECT e.seq, e.id, e.type, e.tenant, e.key, e.trace, e.time, e.body, e.enqueued_at,
    e.tags, e.not_before, e.expires_at,
    s.id, x.state, coalesce(d.attempts, 0), coalesce(d.base, 0), coalesce(d.due, 0), d.due_since,
    CASE WHEN x.state <> 0 THEN coalesce(d.finished_at, x.at) END,
    CASE x.state WHEN 3 THEN CASE WHEN d.state = 3 THEN d.reason ELSE x.reason END
        WHEN 2 THEN d.last_error END,
    d.log, CASE WHEN e.erased_at IS NULL THEN d.answers END,
    CASE WHEN e.erased_at IS NULL THEN coalesce(d.body_state, 0) ELSE 0::smallint END,
    CASE WHEN e.erased_at IS NULL THEN d.body END
FROM unnest($1::bigint[]) AS k(seq)
CROSS JOIN LATERAL (SELECT e.* FROM outhook.events e WHERE e.seq = k.seq OFFSET 0) e
CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)
CROSS JOIN LATERAL (
    SELECT s.id, s.canceled_to, s.updated_at FROM outhook.subscriptions s
    WHERE s.num = r.sub OFFSET 0) s
CROSS JOIN LATERAL (SELECT h.low FROM outhook.shares h WHERE h.id = r.sub % 64 OFFSET 0) h
LEFT JOIN LATERAL (
    SELECT d.* FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = k.seq OFFSET 0) d ON true
LEFT JOIN LATERAL (
    SELECT c.at, c.reason FROM outhook.cancellations c
    WHERE c.sub = r.sub AND c.before > coalesce(d.stamp, k.seq)
        AND coalesce(d.stamp, k.seq) < s.canceled_to
    ORDER BY c.before LIMIT 1) c ON true
CROSS JOIN LATERAL (
    SELECT CASE WHEN d.state <> 0 THEN d.state
            WHEN e.erased_at IS NOT NULL OR coalesce(d.stamp, k.seq) < s.canceled_to
                OR e.expires_at <= statement_timestamp()
                THEN 3::smallint ELSE 0::smallint END AS state,
        coalesce(least(e.erased_at, c.at, CASE WHEN e.expires_at <= statement_timestamp()
            THEN e.expires_at END), s.updated_at) AS at,
        CASE WHEN e.expires_at <= statement_timestamp()
                AND e.expires_at < coalesce(least(e.erased_at, c.at), 'infinity') THEN 'expired'
            WHEN c.at IS NULL AND e.erased_at IS NOT NULL OR e.erased_at < c.at THEN 'erased'
            ELSE coalesce(c.reason, 'unsubscribed') END AS reason) x
WHERE d.state IS NOT NULL OR k.seq > h.low
ORDER BY e.seq, r.sub
