-- $1 a subscription's id
SELECT s.num, s.id, s.tenant, s.name, s.url, s.events, s.header_names, s.header_values, s.secrets,
    s.overlap_until,
    s.status, s.disabled_reason, s.created_at, s.updated_at, s.subscribed_at, s.version,
        s.sealed_with, s.settings
FROM outhook.subscriptions s WHERE s.id = $1
