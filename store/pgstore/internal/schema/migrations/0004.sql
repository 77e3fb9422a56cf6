-- What few subscriptions have, in one column that no statement looks into, NULL where there is none
-- of it: description, metadata, filter, fields, rate, timeout and verified_at, as package record
-- writes them.
ALTER TABLE outhook.subscriptions ADD COLUMN settings jsonb;

-- What few events have, NULL where they have none. tags: sorted. No attempt before the one time nor
-- from the other on.
ALTER TABLE outhook.events
    ADD COLUMN tags text[], ADD COLUMN not_before timestamptz, ADD COLUMN expires_at timestamptz;

-- Those of them that expire, for a listing of what is canceled.
CREATE INDEX events_expiring ON outhook.events (seq) WHERE expires_at IS NOT NULL;

-- Events that expire, until their deliveries are told so after that time, and the last subscription
-- whose was. Others are not here.
CREATE TABLE outhook.expiries (
    at   timestamptz NOT NULL,
    seq  bigint NOT NULL,
    told bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (at, seq)
);
