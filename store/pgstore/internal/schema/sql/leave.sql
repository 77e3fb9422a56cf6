-- $1 the replica, and those that have been dead for so long that nobody takes over from them any
-- more. One of these may come back right now: it is passed over, as it holds its own row and may
-- wait for a share.
DELETE FROM outhook.replicas WHERE id IN (
    SELECT r.id FROM outhook.replicas r
    WHERE (r.id = $1::bigint OR r.until < statement_timestamp() - interval '1 day')
      AND NOT EXISTS (SELECT 1 FROM outhook.shares h WHERE h.owner = r.id)
    FOR UPDATE OF r SKIP LOCKED)
