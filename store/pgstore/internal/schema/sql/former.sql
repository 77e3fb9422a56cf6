-- $1 shares: who had them before
SELECT DISTINCT previous FROM outhook.shares WHERE id = ANY ($1::int[])
