-- $1 the replica, and those that have been dead for so long that nobody takes over from them any
-- more.
DELETE FROM outhook.replicas r
WHERE (r.id = $1::bigint OR r.until < statement_timestamp() - interval '1 day')
  AND NOT EXISTS (SELECT 1 FROM outhook.shares h WHERE h.owner = r.id)
