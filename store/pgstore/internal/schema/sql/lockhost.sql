-- $1 locks of tenants (Replica.TenantLock), that a transaction of the host's holds from now on. As
-- text, as void has no type to scan.
SELECT string_agg(pg_advisory_xact_lock_shared(k)::text, '') FROM unnest($1::bigint[]) AS k
