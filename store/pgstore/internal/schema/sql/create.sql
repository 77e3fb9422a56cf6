-- $1 id … $11 disabled reason, $12 sealed with, $13 settings
--
-- Returns nothing if the ID is taken. A disabled subscription has patterns too, if it has a reason:
-- its events are recorded as canceled for that reason (see enqueue).
WITH s AS (
    INSERT INTO outhook.subscriptions (id, tenant, name, url, events, header_names, header_values,
        secrets, overlap_until,
        status, disabled_reason, created_at, updated_at, subscribed_at, sealed_with,
        settings)
    SELECT $1::text, $2::text, $3::text, $4::text, $5::text[], $6::text[], $7::text[], $8::bytea[],
        $9::timestamptz, $10::text, $11::text,
        statement_timestamp(), statement_timestamp(),
        CASE WHEN $10 IN ('Subscribed', 'Paused', 'Unverified')
            THEN statement_timestamp() END,
        $12::text, $13::text::jsonb
    ON CONFLICT (id) DO NOTHING
    RETURNING *
), w AS (
    INSERT INTO outhook.subscription_patterns (tenant, pattern, sub)
    SELECT DISTINCT s.tenant, p, s.num FROM s, unnest(CASE WHEN cardinality(s.events) = 0
        THEN '{""}' ELSE s.events END) AS p
    WHERE s.status IN ('Subscribed', 'Paused', 'Unverified') OR s.disabled_reason <> ''
), h AS (
    INSERT INTO outhook.health (sub) SELECT num FROM s
)
SELECT s.num, s.id, s.tenant, s.name, s.url, s.events, s.header_names, s.header_values, s.secrets,
    s.overlap_until,
    s.status, s.disabled_reason, s.created_at, s.updated_at, s.subscribed_at, s.version,
        s.sealed_with, s.settings
FROM s
