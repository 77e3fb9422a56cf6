-- $1 subscriptions, $2 buckets, $3 writers, $4 counts. Each is the whole of its bucket. A
-- subscription that is deleted by now gets none: they would stay until they are three days old. 0
-- stands for all subscriptions.
INSERT INTO outhook.attempt_counts (sub, bucket, writer, counts)
SELECT t.sub, t.bucket, t.writer, t.counts
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) AS t(sub, bucket, writer, counts)
CROSS JOIN LATERAL (SELECT 1 WHERE t.sub = 0 UNION ALL
    SELECT 1 FROM outhook.subscriptions s WHERE s.num = t.sub OFFSET 0) s
ORDER BY t.sub, t.bucket
ON CONFLICT (sub, bucket, writer) DO UPDATE SET counts = EXCLUDED.counts
