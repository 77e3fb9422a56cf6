-- One part of a window a row: $1 its number, $2 subscription, $3 due and $4 event that it comes
-- after, $5 whether it is of retries; $6 how many at most. pending: it is not canceled and just has
-- not been told so.
SELECT k.ord, w.due, w.seq, w.stamp >= s.canceled_to
FROM unnest($1::int[], $2::bigint[], $3::bigint[], $4::bigint[], $5::boolean[])
    AS k(ord, sub, due, seq, retry)
CROSS JOIN LATERAL (SELECT s.canceled_to FROM outhook.subscriptions s
    WHERE s.num = k.sub OFFSET 0) s
CROSS JOIN LATERAL (
    SELECT d.due, d.seq, coalesce(d.stamp, d.seq) AS stamp FROM outhook.deliveries d
    WHERE d.sub = k.sub AND d.state = 0 AND NOT d.behind AND (d.due, d.seq) > (k.due, k.seq)
        AND (k.retry OR d.due = 0)
    ORDER BY d.due, d.seq LIMIT $6::int) w
ORDER BY k.ord, w.due, w.seq
