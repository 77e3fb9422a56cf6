-- All shares, with whether their owner lives.
SELECT h.id, h.owner, h.fence, h.low, h.owner <> 0 AND EXISTS (
    SELECT 1 FROM outhook.replicas r WHERE r.id = h.owner AND r.until > statement_timestamp())
FROM outhook.shares h ORDER BY h.id
