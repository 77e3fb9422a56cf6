-- $1 ids. Their deliveries go later. Their numbers stay in the events until purgedeleted has been
-- there: none is used again, and nothing finds a subscription by it.
WITH s AS (
    DELETE FROM outhook.subscriptions WHERE id = ANY ($1::text[]) RETURNING num
), w AS (
    DELETE FROM outhook.subscription_patterns USING s WHERE sub = s.num
), h AS (
    DELETE FROM outhook.health USING s WHERE sub = s.num
), c AS (
    DELETE FROM outhook.cancellations USING s WHERE sub = s.num
), y AS (
    DELETE FROM outhook.attempt_counts USING s WHERE sub = s.num
), z AS (
    DELETE FROM outhook.closing_subscriptions USING s WHERE sub = s.num
), told AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs) SELECT num % 64, false, ARRAY[num],
        '{0}' FROM s
)
INSERT INTO outhook.deleted_subscriptions (sub, above, at)
SELECT s.num, h.low, statement_timestamp() FROM s JOIN outhook.shares h ON h.id = s.num % 64
