-- The first attempts that succeeded, one a row: $1 subscription, $2 event, $3 status, $4 log, $5
-- answer. Once each: $6 subscriptions, $7 the first of their events here; $8 shares, $9 their
-- fences; $10 the replica; $11 whether some may have got rows: without, one that has is an error of
-- the index. One a row again: $12 body, $13 its state. Returns what was recorded;
-- what was not, somebody else has changed or canceled.
--
-- If any share is another's by now, nothing is recorded here, and all outcomes go the other way. It
-- inserts and never updates: a delivery that has got a row is not what the caller took it for. ON
-- CONFLICT would say so too, but has the server log 48 bytes more for each row.
WITH mine AS MATERIALIZED (
    SELECT count(*) = cardinality($8::int[]) AS ok
    FROM unnest($8::int[], $9::bigint[]) AS f(id, fence) JOIN outhook.shares h ON h.id = f.id
        AND h.fence = f.fence AND h.owner = $10
), live AS MATERIALIZED (
    SELECT s.num FROM unnest($6::bigint[], $7::bigint[]) AS u(sub, first)
    CROSS JOIN LATERAL (
        SELECT s.num FROM outhook.subscriptions s WHERE s.num = u.sub
            AND s.canceled_to <= u.first OFFSET 0) s
)
INSERT INTO outhook.deliveries (sub, seq, finished_at, attempts, state, last_status, log, answers,
    body, body_state)
SELECT o.sub, o.seq, statement_timestamp(), 1, 1, o.status, o.log, o.answer, o.body, o.body_state
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bytea[], $5::bytea[], $12::bytea[],
    $13::smallint[]) AS o(sub, seq, status, log, answer, body, body_state)
WHERE (SELECT ok FROM mine) AND o.sub IN (SELECT num FROM live)
  AND o.seq NOT IN (SELECT x.seq FROM outhook.erasures x WHERE x.seq = ANY ($2))
  AND NOT ($11::boolean AND EXISTS (SELECT 1 FROM outhook.deliveries d
    WHERE d.sub = o.sub AND d.seq = o.seq OFFSET 0))
ORDER BY o.sub, o.seq
RETURNING sub, seq
