-- What a step of Prune looks for, where what is purged already stays for a day. Without them, what
-- many webhooks leave that are deleted or unsubscribed together takes steps that each read all of
-- them.
CREATE INDEX deleted_subscriptions_unpurged ON outhook.deleted_subscriptions (at) WHERE NOT purged;
CREATE INDEX cancellations_unpurged ON outhook.cancellations (before) WHERE NOT purged;
