-- $1 the IDs of subscriptions whose holds end, unless their tenant is not settled. Returns how many
-- did. They are locked in the order in which outcomes lock them (see subjects), so neither waits
-- for the other crosswise.
WITH held AS MATERIALIZED (
    SELECT h.sub FROM outhook.health h
    WHERE h.next_probe_at IS NOT NULL AND h.sub IN (SELECT s.num FROM outhook.subscriptions s
        WHERE s.id = ANY ($1::text[]) AND NOT EXISTS (
            SELECT FROM outhook.unsettled_tenants t WHERE t.tenant = s.tenant))
    ORDER BY h.sub FOR UPDATE
), ended AS (
    UPDATE outhook.health h SET next_probe_at = NULL WHERE h.sub = ANY (ARRAY(SELECT sub FROM held))
    RETURNING h.sub
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs)
    SELECT sub % 64, false, array_agg(sub), array_agg(0::bigint) FROM ended GROUP BY 1
)
SELECT count(*) FROM ended
