-- What outcomes are about, one a row: $1 subscription's id, $2 event's id, $3 whether the event is
-- known to be for it, $4 from how many attempts on those that were recorded are wanted.
--
-- Rows are locked in the order of subscriptions, of each its health first. Who has that has all of
-- the subscription to itself, also what it unblocks later: two that record outcomes of one wait for
-- each other once.
WITH o AS MATERIALIZED (
    SELECT o.ord, s.num, s.canceled_to, e.seq, e.key, e.erased, e.expires_at, h.owner, h.fence, h.low
    FROM unnest($1::text[], $2::text[], $3::boolean[]) WITH ORDINALITY
        AS o(sub_id, event_id, sure, ord)
    CROSS JOIN LATERAL (
        SELECT s.num, s.tenant, s.canceled_to FROM outhook.subscriptions s
        WHERE s.id = o.sub_id OFFSET 0) s
    CROSS JOIN LATERAL (
        SELECT e.seq, e.key, e.erased_at IS NOT NULL AS erased, e.expires_at
        FROM outhook.events e
        WHERE e.id = o.event_id AND e.tenant = s.tenant
            AND (o.sure OR s.num = ANY (e.recipients)) OFFSET 0) e
    CROSS JOIN LATERAL (SELECT h.owner, h.fence, h.low FROM outhook.shares h
        WHERE h.id = s.num % 64 OFFSET 0) h
    ORDER BY s.num, e.seq
)
SELECT o.ord, o.num, o.canceled_to, o.seq, o.key, o.erased, o.expires_at, o.owner, o.fence, o.low, d.state,
    coalesce(d.stamp, o.seq),
    coalesce(d.attempts, 0), coalesce(d.base, 0),
    CASE WHEN d.attempts >= $4::int THEN d.log END, CASE WHEN d.attempts >= $4 THEN d.answers END,
    y.healthy, y.failures, y.failing_for, y.last_failure, y.probes, y.slow_start, y.next_probe_at,
    y.latency, y.held_until, y.pace, y.pacing, statement_timestamp()
FROM o
CROSS JOIN LATERAL (SELECT y.* FROM outhook.health y WHERE y.sub = o.num FOR UPDATE) y
LEFT JOIN LATERAL ( -- by y.sub, so that it comes after y
    SELECT d.state, d.stamp, d.attempts, d.base, d.log, d.answers FROM outhook.deliveries d
    WHERE d.sub = y.sub AND d.seq = o.seq FOR UPDATE) d ON true
