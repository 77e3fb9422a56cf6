-- $1 shares: the subscriptions that have something pending with a row, one search of the index for
-- each.
WITH RECURSIVE w AS (
    (SELECT d.sub FROM outhook.deliveries d WHERE d.state = 0 AND NOT d.behind
        ORDER BY d.sub LIMIT 1)
    UNION ALL
    SELECT (SELECT d.sub FROM outhook.deliveries d WHERE d.state = 0 AND NOT d.behind
        AND d.sub > w.sub ORDER BY d.sub LIMIT 1)
    FROM w WHERE w.sub IS NOT NULL
)
SELECT sub FROM w WHERE sub IS NOT NULL AND (sub % 64)::int = ANY ($1::int[])
