-- $1 shares, $2 their owner, or 0 for any: locks them, in the order of their numbers, until the
-- transaction ends.
--
-- Each transaction that changes shares begins so. It may change some by one statement and others by
-- the next, as a replica does that leaves; a replica that takes shares over at that moment would
-- else wait for one of the later, while the first waits for it.
SELECT FROM outhook.shares h
WHERE h.id = ANY ($1::int[]) AND ($2::bigint = 0 OR h.owner = $2) ORDER BY h.id FOR UPDATE
