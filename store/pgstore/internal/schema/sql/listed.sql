-- What is to be said of deliveries k (seq, sub), of which the listing knows only where they stand.
-- One without a row is pending above the low mark of its share, and below is no more. What is
-- pending and canceled, erased or expired has not been told so. behind: an earlier one of its key
-- is pending, with a row or without: what has never been claimed has none that would say so.
--
-- Package history appends conditions, an order and a limit to the last line, and makes a count of
-- what begins with the first line of FROM. Each lateral subquery is one look in an index, in the
-- order of k, so a limit ends the reading.
SELECT k.seq AS seq, k.sub AS sub, s.id AS sub_id, e.id, e.type, e.tenant, e.key, x.state,
    coalesce(d.attempts, 0) AS attempts, e.enqueued_at,
    CASE WHEN x.state = 0 THEN CASE WHEN d.due > 0
        THEN coalesce(d.due_since, '1970-01-01Z'::timestamptz
            + (d.due - CASE WHEN d.due % 1000 = 1 THEN 1 ELSE 0 END) * interval '1 microsecond')
        ELSE e.enqueued_at END END AS due,
    CASE WHEN x.state <> 0 THEN coalesce(d.finished_at, x.at) END AS finished_at,
    coalesce(d.last_status, 0) AS last_status,
    y.last_error, e.erased_at IS NOT NULL AS erased,
    coalesce(d.due, 0) AS place, coalesce(d.behind, false) OR x.state = 0 AND e.key <> '' AND (
        EXISTS (SELECT 1 FROM outhook.deliveries b
            WHERE b.sub = k.sub AND b.key = e.key AND b.state = 0 AND b.seq < k.seq
                AND coalesce(b.stamp, b.seq) >= s.canceled_to)
        OR EXISTS (SELECT 1 FROM outhook.events b
            WHERE b.tenant = e.tenant AND b.key = e.key AND b.key <> '' AND b.seq < k.seq
                AND b.seq > h.low AND b.seq >= s.canceled_to AND b.erased_at IS NULL
                AND k.sub = ANY (b.recipients)
                AND NOT EXISTS (SELECT 1 FROM outhook.deliveries r
                    WHERE r.sub = k.sub AND r.seq = b.seq))) AS behind, e.not_before, e.expires_at,
    false AS stopped
FROM k
CROSS JOIN LATERAL (
    SELECT e.id, e.type, e.tenant, e.key, e.enqueued_at, e.erased_at, e.tags,
        e.not_before, e.expires_at
    FROM outhook.events e
    WHERE e.seq = k.seq OFFSET 0) e
CROSS JOIN LATERAL (
    SELECT s.id, s.tenant, s.canceled_to, s.updated_at FROM outhook.subscriptions s
    WHERE s.num = k.sub OFFSET 0) s
CROSS JOIN LATERAL (SELECT h.low FROM outhook.shares h WHERE h.id = k.sub % 64 OFFSET 0) h
LEFT JOIN LATERAL (
    SELECT d.state, d.stamp, d.due, d.due_since, d.behind, d.finished_at, d.attempts,
        d.last_status, d.last_error, d.reason
    FROM outhook.deliveries d WHERE d.sub = k.sub AND d.seq = k.seq OFFSET 0) d ON true
LEFT JOIN LATERAL (
    SELECT c.at, c.reason FROM outhook.cancellations c
    WHERE c.sub = k.sub AND c.before > coalesce(d.stamp, k.seq)
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
CROSS JOIN LATERAL (
    SELECT coalesce(CASE x.state WHEN 1 THEN '' WHEN 3 THEN CASE WHEN d.state = 3 THEN d.reason
        ELSE x.reason END ELSE d.last_error END, '') AS last_error) y
WHERE (d.state IS NOT NULL OR k.seq > h.low)
