-- $1 shares: who had them before. Their transactions may still be under way.
SELECT DISTINCT previous FROM outhook.shares WHERE id = ANY ($1::int[])
