-- $1 the lock of the replica (Replica.QueueLock), $2 that of those who publish (Replica.Writers).
-- Both end with the transaction, and write no log.
SELECT pg_advisory_xact_lock_shared($1), pg_advisory_xact_lock_shared($2)
