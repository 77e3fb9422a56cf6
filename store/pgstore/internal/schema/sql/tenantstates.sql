-- The tenants that are not settled.
SELECT t.tenant, t.phase, t.peer FROM outhook.unsettled_tenants t
