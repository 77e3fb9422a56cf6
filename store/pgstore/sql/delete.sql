-- $1 id
WITH s AS (
    DELETE FROM outhook.subscriptions WHERE id = $1 RETURNING num
), w AS (
    DELETE FROM outhook.wants USING s WHERE sub = s.num
), h AS (
    DELETE FROM outhook.health USING s WHERE sub = s.num
), t AS (
    DELETE FROM outhook.turns USING s WHERE sub = s.num
), c AS (
    DELETE FROM outhook.cancellations USING s WHERE sub = s.num
), y AS (
    DELETE FROM outhook.tallies USING s WHERE sub = s.num
), freed AS (
    UPDATE outhook.leases l SET token = 0, leased_till = NULL
    WHERE l.slot = ANY (ARRAY(
        SELECT l.slot FROM outhook.leases l JOIN s ON s.num = l.sub WHERE l.token <> 0 ORDER BY l.slot FOR UPDATE OF l))
)
INSERT INTO outhook.graves (sub, at) SELECT num, statement_timestamp() FROM s
