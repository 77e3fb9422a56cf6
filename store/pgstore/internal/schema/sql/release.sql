-- $1 shares, $2 the replica: gives them up. Not what another has taken meanwhile. The fence rises
-- when somebody takes them.
UPDATE outhook.shares h SET owner = 0, previous = $2::bigint WHERE h.id = ANY ($1::int[])
    AND h.owner = $2
