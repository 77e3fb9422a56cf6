-- $1 event: all its deliveries have been told.
DELETE FROM outhook.erasures WHERE seq = $1
