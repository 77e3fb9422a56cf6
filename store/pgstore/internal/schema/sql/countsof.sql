-- $1 subscription, $2 first bucket, $3 last bucket. Of all replicas; the caller takes its own from
-- memory where they are newer.
SELECT bucket, writer, counts FROM outhook.attempt_counts WHERE sub = $1 AND bucket BETWEEN $2
    AND $3
