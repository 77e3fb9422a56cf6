-- All subscriptions, of any status.
SELECT count(*) FROM outhook.subscriptions
