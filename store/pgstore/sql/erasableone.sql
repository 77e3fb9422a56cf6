SELECT seq FROM outhook.events WHERE id = $1
