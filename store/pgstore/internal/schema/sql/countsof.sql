-- $1 subscriptions, $2 first bucket, $3 last bucket. Of all replicas; the caller takes its own from
-- memory where they are newer.
SELECT sub, bucket, writer, counts FROM outhook.attempt_counts WHERE sub = ANY ($1::bigint[])
    AND bucket BETWEEN $2 AND $3
