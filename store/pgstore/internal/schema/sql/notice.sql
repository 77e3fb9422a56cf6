-- $1 subscriptions, $2 events, $3 the replica: tells the owners of their shares to look, but not
-- the replica itself.
INSERT INTO outhook.notices (share, fresh, subs, seqs)
SELECT h.id, false, array_agg(n.sub), array_agg(n.seq)
FROM unnest($1::bigint[], $2::bigint[]) AS n(sub, seq) JOIN outhook.shares h ON h.id = n.sub % 64
WHERE h.owner <> $3::bigint OR $3 = 0
GROUP BY h.id
