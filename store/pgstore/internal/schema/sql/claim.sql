-- $1 subscriptions, $2 events: what a claim of them hands out. blocked: an earlier one with its key
-- is pending, as far as it has a row; of the others the owner knows.
--
-- pending does not say whether the event has expired: the column after it does.
--
-- What is canceled or erased is returned as not pending, and not left out: the claim must give up
-- its lease.
SELECT o.ord, e.id, e.type, e.tenant, e.key, e.time, e.enqueued_at, e.body, d.body,
    coalesce(d.body_state, 0), e.trace, e.tags, e.not_before, e.expires_at,
    coalesce(d.attempts, 0), coalesce(d.base, 0), coalesce(d.stamp, o.seq), d.seq IS NOT NULL,
    coalesce(d.due, 0), e.erased_at IS NULL AND coalesce(d.stamp, o.seq) >= s.canceled_to
        AND (d.seq IS NULL OR d.state = 0),
    coalesce(e.expires_at <= statement_timestamp(), false),
    coalesce(d.behind, false) OR e.key <> '' AND EXISTS (
        SELECT 1 FROM outhook.deliveries b
        WHERE b.sub = o.sub AND b.key = e.key AND b.state = 0 AND b.seq < o.seq
            AND coalesce(b.stamp, b.seq) >= s.canceled_to
          AND NOT EXISTS (SELECT 1 FROM outhook.erasures x WHERE x.seq = b.seq))
FROM unnest($1::bigint[], $2::bigint[]) WITH ORDINALITY AS o(sub, seq, ord)
CROSS JOIN LATERAL (SELECT e.* FROM outhook.events e WHERE e.seq = o.seq OFFSET 0) e
CROSS JOIN LATERAL (SELECT s.canceled_to FROM outhook.subscriptions s
    WHERE s.num = o.sub OFFSET 0) s
LEFT JOIN LATERAL (SELECT d.* FROM outhook.deliveries d WHERE d.sub = o.sub
    AND d.seq = o.seq OFFSET 0) d ON true
