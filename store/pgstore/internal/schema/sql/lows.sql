-- $1 shares, $2 their fences, $3 their low marks, $4 the replica, $5 when the server was started
-- that these are of. No mark falls: what is over would be pending again.
UPDATE outhook.shares h SET low = n.low
FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS n(id, fence, low)
WHERE h.id = n.id AND h.fence = n.fence AND h.owner = $4::bigint AND h.low < n.low
    AND pg_postmaster_start_time() = $5::timestamptz
