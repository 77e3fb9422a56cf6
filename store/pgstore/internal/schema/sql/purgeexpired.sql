-- $1 how many: the rows of deliveries whose event has expired are told so, the first to expire
-- first. Returns how many it looked at, or nothing if there is nothing to do.
--
-- What was canceled or erased is left to the statements that purge those, and what has ended as it
-- is. An event is out of the list when all of its deliveries were looked at.
WITH m AS MATERIALIZED (
    SELECT m.at, m.seq, m.told FROM outhook.expiries m WHERE m.at <= statement_timestamp()
    ORDER BY m.at, m.seq LIMIT $1::int
), r AS MATERIALIZED (
    SELECT m.at, m.seq, u.sub FROM m
    CROSS JOIN LATERAL (
        SELECT e.recipients FROM outhook.events e WHERE e.seq = m.seq AND e.erased_at IS NULL
            OFFSET 0) e
    CROSS JOIN LATERAL (
        SELECT u.sub FROM unnest(e.recipients) AS u(sub) WHERE u.sub > m.told
            ORDER BY u.sub) u
    ORDER BY m.at, m.seq, u.sub LIMIT $1
), n AS MATERIALIZED (
    SELECT (SELECT count(*) FROM r) AS found
), last AS MATERIALIZED (
    SELECT r.at, r.seq, r.sub FROM r ORDER BY r.at DESC, r.seq DESC, r.sub DESC LIMIT 1
), ended AS (
    UPDATE outhook.deliveries d SET state = 3, finished_at = r.at, reason = 'expired',
        behind = false
    FROM (SELECT r.at, r.seq, r.sub, s.canceled_to FROM r CROSS JOIN LATERAL (
            SELECT s.canceled_to FROM outhook.subscriptions s WHERE s.num = r.sub OFFSET 0) s
        ORDER BY r.sub, r.seq) r
    WHERE d.sub = r.sub AND d.seq = r.seq AND d.state = 0
        AND coalesce(d.stamp, d.seq) >= r.canceled_to
    RETURNING d.sub, d.seq
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs)
    SELECT e.sub % 64, false, array_agg(e.sub), array_agg(e.seq) FROM ended e GROUP BY 1
), over AS (
    DELETE FROM outhook.expiries x USING m, n WHERE x.at = m.at AND x.seq = m.seq
        AND (n.found < $1 OR (m.at, m.seq) < (SELECT l.at, l.seq FROM last l))
), marked AS (
    UPDATE outhook.expiries x SET told = l.sub FROM last l, n
    WHERE x.at = l.at AND x.seq = l.seq AND n.found >= $1
)
SELECT n.found FROM n WHERE EXISTS (SELECT 1 FROM m)
