-- $1: the IDs of subscriptions whose holds end. How many did.
WITH held AS MATERIALIZED (
    SELECT h.sub FROM outhook.health h
    WHERE h.next_probe_at IS NOT NULL AND h.sub IN (SELECT s.num FROM outhook.subscriptions s WHERE s.id = ANY ($1::text[]))
    ORDER BY h.sub FOR UPDATE
), ended AS (
    UPDATE outhook.health h SET next_probe_at = NULL WHERE h.sub = ANY (ARRAY(SELECT sub FROM held))
    RETURNING h.sub
), signaled AS (
    INSERT INTO outhook.signals (sub) SELECT sub FROM ended
)
SELECT count(*) FROM ended
