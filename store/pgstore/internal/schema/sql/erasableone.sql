-- $1 tenant, $2 id
SELECT seq FROM outhook.events WHERE id = $2 AND tenant = $1
