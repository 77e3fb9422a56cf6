-- $1 subscriptions
SELECT 1 FROM outhook.health WHERE sub = ANY (ARRAY(SELECT num FROM outhook.subscriptions WHERE id = ANY ($1::text[])))
ORDER BY sub FOR UPDATE
