-- $1 shares: what is pending of them without a row. The lowest of the marks is where the index of
-- events is entered; each share's own mark then decides.
SELECT e.seq, r.sub
FROM outhook.events e CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)
JOIN outhook.shares h ON h.id = r.sub % 64
WHERE e.seq > (SELECT min(m.low) FROM outhook.shares m WHERE m.id = ANY ($1::int[]))
    AND h.id = ANY ($1) AND e.seq > h.low
  AND NOT EXISTS (SELECT 1 FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = e.seq)
  AND EXISTS (SELECT 1 FROM outhook.subscriptions s WHERE s.num = r.sub)
ORDER BY e.seq
