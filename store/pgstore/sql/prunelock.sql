-- $1 the lock of whoever prunes. Whether it was had is what the next statement of the transaction goes by.
SELECT set_config('pgstore.pruning', pg_try_advisory_xact_lock($1)::text, true)::boolean
