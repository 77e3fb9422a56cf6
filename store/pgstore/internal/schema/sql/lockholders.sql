-- $1 locks: the transactions that hold any of them.
SELECT DISTINCT l.virtualtransaction FROM pg_catalog.pg_locks l
WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
    AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d
        WHERE d.datname = current_database())
    AND (l.classid::bigint << 32 | l.objid::bigint) = ANY ($1::bigint[])
