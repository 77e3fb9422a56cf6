-- Tenants that are not settled: they are being moved to another store or from one, or were. phase
-- and peer are those of store.TenantState. Whatever would change something of a tenant looks here,
-- in its own transaction. As a rule there are none.
CREATE TABLE outhook.unsettled_tenants (
    tenant text PRIMARY KEY,
    phase  smallint NOT NULL,
    peer   integer NOT NULL
);

-- When a tenant was closed last, in microseconds since 1970. A sequence, as it shows its present
-- value also to a transaction of the host's whose snapshot is older.
CREATE SEQUENCE outhook.tenant_closed_at;

-- Fails if the tenant is not settled: so the transaction that calls it changes nothing.
CREATE FUNCTION outhook.require_settled(name text) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF EXISTS (SELECT FROM outhook.unsettled_tenants t WHERE t.tenant = name) THEN
        RAISE EXCEPTION 'the tenant is being moved to another store, or was'
            USING ERRCODE = 'OH001';
    END IF;
END $$;

-- Subscriptions of closed tenants whose owner may have leased something of them: the one whose
-- fence it is. It removes the row when it has nothing leased any more.
CREATE TABLE outhook.closing_subscriptions (
    sub   bigint PRIMARY KEY,
    fence bigint NOT NULL
);

-- The events of a tenant, for a quota and for a move. A host with one tenant, which has no name,
-- pays nothing for it: all events are that one's.
CREATE INDEX events_tenant ON outhook.events (tenant, seq) WHERE tenant <> '';

-- The events of a key, for a listing to say what waits behind another. Events without a key, most
-- as a rule, pay nothing for it.
CREATE INDEX events_key ON outhook.events (tenant, key, seq) WHERE key <> '';

-- How far back a search since a time goes: of the events up to seq, none was enqueued later than
-- at. Prune adds a row for every ten thousand numbers, so that publishing writes no index of times.
CREATE TABLE outhook.event_times (
    seq bigint PRIMARY KEY,
    at  timestamptz NOT NULL
);
CREATE INDEX event_times_at ON outhook.event_times (at, seq);
INSERT INTO outhook.event_times (seq, at) VALUES (0, '-infinity');

-- What was counted before is in an encoding that is read no more. It is of three days at most.
TRUNCATE outhook.attempt_counts;
