-- $1 a tenant that is settled from now on: the owners of its subscriptions look at them.
WITH t AS (
    DELETE FROM outhook.unsettled_tenants t WHERE t.tenant = $1 RETURNING t.tenant
), s AS MATERIALIZED (
    SELECT s.num FROM t JOIN outhook.subscriptions s ON s.tenant = t.tenant
), closing AS (
    DELETE FROM outhook.closing_subscriptions c USING s WHERE c.sub = s.num
)
INSERT INTO outhook.notices (share, fresh, subs, seqs)
SELECT num % 64, false, array_agg(num), array_agg(0::bigint) FROM s GROUP BY 1
