-- $1 a subscription's id: fails if its tenant is not settled.
SELECT outhook.require_settled(s.tenant) FROM outhook.subscriptions s WHERE s.id = $1
