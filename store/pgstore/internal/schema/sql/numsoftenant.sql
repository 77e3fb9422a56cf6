-- $1 a tenant: its subscriptions.
SELECT s.num FROM outhook.subscriptions s WHERE s.tenant = $1
