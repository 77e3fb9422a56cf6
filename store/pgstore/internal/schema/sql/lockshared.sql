-- $1 the lock of the replica, of writers, or of Prune: see Replica.QueueLock, QueueSettled and
-- QueueTimes. It ends with the transaction, and writes no log.
SELECT pg_advisory_xact_lock_shared($1)
