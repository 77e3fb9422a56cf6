-- Who gets what. num is the identity of a subscription; id may be used again after a deletion. What is pending belongs
-- to an epoch: unsubscribing begins the next, which cancels all that is pending of the one before without touching it.
CREATE TABLE outhook.subscriptions (
    num             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id              text NOT NULL UNIQUE,
    tenant          text NOT NULL,
    name            text NOT NULL,
    url             text NOT NULL,
    events          text[] NOT NULL,
    header_names    text[] NOT NULL,
    header_values   text[] NOT NULL,
    secrets         bytea[] NOT NULL,
    sealed_with     text NOT NULL DEFAULT '',
    overlap_until   timestamptz,
    status          text NOT NULL,
    disabled_reason text NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    subscribed_at   timestamptz,
    version         bigint NOT NULL DEFAULT 1,
    epoch           integer NOT NULL DEFAULT 0
);
CREATE INDEX subscriptions_tenant ON outhook.subscriptions (tenant, num);

-- The patterns of those subscriptions that events are kept for. The empty pattern takes all.
CREATE TABLE outhook.wants (
    tenant  text NOT NULL,
    pattern text NOT NULL,
    sub     bigint NOT NULL,
    PRIMARY KEY (tenant, pattern, sub)
);
CREATE INDEX wants_sub ON outhook.wants (sub);

-- What attempts have said of each endpoint. failing_for is in microseconds. class: 0 healthy, 1 new, 2 failing.
CREATE TABLE outhook.health (
    sub          bigint PRIMARY KEY,
    class        smallint GENERATED ALWAYS AS (CASE WHEN healthy THEN 0 WHEN failures = 0 THEN 1 ELSE 2 END) STORED,
    healthy       boolean NOT NULL DEFAULT false,
    failures     integer NOT NULL DEFAULT 0,
    failing_for  bigint NOT NULL DEFAULT 0,
    last_failure timestamptz,
    probes        integer NOT NULL DEFAULT 0,
    slow_start   integer NOT NULL DEFAULT 0,
    next_probe_at   timestamptz
) WITH (fillfactor = 50);

-- Three rings of subscriptions with something to claim, one for each class of health, and when something of each is due that is not yet. Only a claim,
-- which holds the clerk, changes them, and what changes a subscription's epoch. Nothing before next waits in lane 0.
CREATE TABLE outhook.turns (
    sub         bigint PRIMARY KEY,
    epoch       integer NOT NULL,
    ready       boolean NOT NULL DEFAULT false,
    class       smallint NOT NULL DEFAULT 1,
    seat        bigint NOT NULL DEFAULT 0,
    due         timestamptz,
    next        bigint NOT NULL DEFAULT 0,
    keyed       boolean NOT NULL DEFAULT false,
    retry_first boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);
CREATE INDEX turns_ring ON outhook.turns (class, seat) WHERE ready;
CREATE INDEX turns_due ON outhook.turns (due) WHERE due IS NOT NULL;

-- One row, whose lock is held by the one claim at a time. last_class is whose turn was the last.
CREATE TABLE outhook.clerk (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    turn       bigint NOT NULL DEFAULT 0,
    last_class smallint NOT NULL DEFAULT 2
) WITH (fillfactor = 10);
INSERT INTO outhook.clerk DEFAULT VALUES;

-- One row: the last block of claim numbers that was given to a replica.
CREATE TABLE outhook.blocks (
    one  boolean PRIMARY KEY DEFAULT true CHECK (one),
    last bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO outhook.blocks DEFAULT VALUES;

-- Subscriptions that the next claim has to look at. Whoever makes something claimable adds one and waits for nobody; seq
-- is the first event that may be claimable of lane 0.
CREATE TABLE outhook.signals (
    sub   bigint NOT NULL,
    seq   bigint NOT NULL DEFAULT 9223372036854775807,
    keyed boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_insert_threshold = -1,
        autovacuum_vacuum_cost_delay = 0);

-- Leases, in slots that are used again and again: only the primary key is indexed, so that an update moves nothing. A
-- token of 0 is a free slot.
CREATE TABLE outhook.leases (
    slot        integer PRIMARY KEY,
    token       bigint NOT NULL DEFAULT 0,
    sub         bigint NOT NULL DEFAULT 0,
    seq         bigint NOT NULL DEFAULT 0,
    leased_till timestamptz
) WITH (fillfactor = 30, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);

CREATE TABLE outhook.events (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          text NOT NULL,
    type        text NOT NULL,
    tenant      text NOT NULL,
    key         text NOT NULL,
    time        timestamptz NOT NULL,
    enqueued_at timestamptz NOT NULL,
    body        bytea NOT NULL,
    trace       text NOT NULL DEFAULT '',
    erased      boolean NOT NULL DEFAULT false
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2);
CREATE UNIQUE INDEX events_id ON outhook.events (id);

-- Pending deliveries. lane: 0 first attempts, 1 retries, 2 those that stand behind another with the same key. log has one
-- JSON object a line for each attempt. body is sent in place of the event's when
-- body_state says so (store.BodyState).
CREATE TABLE outhook.queue (
    seq         bigint NOT NULL,
    sub         bigint NOT NULL,
    epoch       integer NOT NULL,
    lane        smallint NOT NULL DEFAULT 0,
    attempts    integer NOT NULL DEFAULT 0,
    retry       integer NOT NULL DEFAULT 0,
    last_status integer NOT NULL DEFAULT 0,
    due         timestamptz NOT NULL,
    key         text NOT NULL DEFAULT '',
    last_error  text NOT NULL DEFAULT '',
    log         text NOT NULL DEFAULT '',
    body        bytea,
    body_state  smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (seq, sub)
) WITH (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
        autovacuum_vacuum_insert_scale_factor = 0.2, autovacuum_analyze_scale_factor = 0.05);
CREATE INDEX queue_lane ON outhook.queue (sub, epoch, lane, seq);
CREATE INDEX queue_due ON outhook.queue (sub, epoch, due, seq) WHERE lane = 1;
CREATE INDEX queue_key ON outhook.queue (sub, epoch, key, seq) WHERE key <> '';

-- Finished deliveries. reason is why one was canceled.
CREATE TABLE outhook.history (
    seq         bigint NOT NULL,
    sub         bigint NOT NULL,
    state       text NOT NULL,
    attempts    integer NOT NULL,
    last_status integer NOT NULL,
    finished_at timestamptz NOT NULL,
    last_error  text NOT NULL,
    reason      text NOT NULL DEFAULT '',
    log         text NOT NULL,
    body        bytea,
    body_state  smallint NOT NULL DEFAULT 0,
    PRIMARY KEY (seq, sub)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2,
        autovacuum_vacuum_cost_delay = 0);
CREATE INDEX history_sub ON outhook.history (sub, seq);
CREATE INDEX history_delivered ON outhook.history (finished_at) WHERE state = 'delivered';
CREATE INDEX history_failed ON outhook.history (finished_at) WHERE state <> 'delivered';

-- What ended an epoch of a subscription, until its deliveries have been moved to the history and for a day after.
CREATE TABLE outhook.cancellations (
    sub    bigint NOT NULL,
    epoch  integer NOT NULL,
    at     timestamptz NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (sub, epoch)
);

-- Deleted subscriptions, until their deliveries are gone and for a day after.
CREATE TABLE outhook.graves (
    sub bigint PRIMARY KEY,
    at  timestamptz NOT NULL
);

-- What was counted of the attempts of a subscription in five minutes (package tally), by each writer: a replica writes rows
-- of its own, so none waits for another. The last of them it writes again and again.
CREATE TABLE outhook.tallies (
    sub    bigint NOT NULL,
    slot   bigint NOT NULL,
    writer bigint NOT NULL,
    counts bytea NOT NULL,
    PRIMARY KEY (sub, slot, writer)
) WITH (fillfactor = 70);
CREATE INDEX tallies_slot ON outhook.tallies (slot);
