-- $1 tenants, $2 patterns, one a row: locks the subscriptions that want events of these, so that
-- they stay as they are until the transaction ends. In order, or two that lock some would wait for
-- each other.
SELECT count(*) FROM (
    SELECT s.num FROM outhook.subscriptions s WHERE s.num IN (
        SELECT w.sub FROM unnest($1::text[], $2::text[]) AS p(tenant, pattern)
        CROSS JOIN LATERAL (
            SELECT w.sub FROM outhook.subscription_patterns w
            WHERE w.tenant = p.tenant AND w.pattern = p.pattern OFFSET 0) w)
    ORDER BY s.num FOR SHARE) held
