-- $1 id
SELECT seq FROM outhook.events WHERE id = $1
