-- $1 shares, $2 the replica: takes those that no live replica has.
--
-- previous stays if nobody had it: transactions of who had it last may still be under way, and the
-- new owner waits for those. Of two replicas that want a share the second finds a live owner.
UPDATE outhook.shares h SET owner = $2::bigint, fence = h.fence + 1,
    previous = CASE WHEN h.owner <> 0 THEN h.owner ELSE h.previous END
WHERE h.id = ANY ($1::int[]) AND NOT EXISTS (
    SELECT 1 FROM outhook.replicas r WHERE r.id = h.owner AND r.until > statement_timestamp())
RETURNING h.id, h.fence, h.previous
