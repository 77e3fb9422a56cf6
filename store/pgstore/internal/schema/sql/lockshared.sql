-- $1 the lock of the replica (Replica.QueueLock). It ends with the transaction, and writes no log.
SELECT pg_advisory_xact_lock_shared($1)
