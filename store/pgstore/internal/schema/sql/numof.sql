-- $1 id
SELECT s.num FROM outhook.subscriptions s WHERE s.id = $1
