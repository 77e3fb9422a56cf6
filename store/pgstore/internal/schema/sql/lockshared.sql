-- $1 the lock of the replica, or of writers (Replica.QueueLock, QueueSettled). It ends with the
-- transaction, and writes no log.
SELECT pg_advisory_xact_lock_shared($1)
