-- $1 subscriptions, $2 events, $3 tokens
WITH freed AS (
    UPDATE outhook.leases l SET token = 0, leased_till = NULL
    WHERE l.slot = ANY (ARRAY(
        SELECT l.slot FROM outhook.leases l
        JOIN unnest($1::text[], $2::text[], $3::bigint[]) AS t(sub_id, event_id, token) ON l.token = t.token
        JOIN outhook.subscriptions s ON s.num = l.sub AND s.id = t.sub_id
        JOIN outhook.events e ON e.seq = l.seq AND e.id = t.event_id
        WHERE t.token <> 0 ORDER BY l.slot FOR UPDATE OF l))
    RETURNING l.sub, l.seq
)
INSERT INTO outhook.signals (sub, seq) SELECT sub, min(seq) FROM freed GROUP BY sub
