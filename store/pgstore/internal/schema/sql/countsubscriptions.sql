SELECT count(*) FROM outhook.subscriptions
