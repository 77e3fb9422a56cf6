-- $1 shares: whether there are notices for them. Each Claim asks it, so it only looks for one in
-- the index.
SELECT EXISTS (SELECT 1 FROM outhook.notices n WHERE n.share = ANY ($1::int[]))
