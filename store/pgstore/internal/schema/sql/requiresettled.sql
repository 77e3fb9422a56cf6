-- $1 a tenant: fails if it is not settled.
SELECT outhook.require_settled($1::text)
