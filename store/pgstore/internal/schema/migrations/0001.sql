-- Who gets what. num is the identity of a subscription; id may be used again after a deletion. What
-- became pending before canceled_to (a number of the events' sequence) is canceled: unsubscribing
-- raises it and touches no delivery.
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
    overlap_until   timestamptz,
    status          text NOT NULL,
    disabled_reason text NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    subscribed_at   timestamptz,
    version         bigint NOT NULL DEFAULT 1,
    sealed_with     text NOT NULL DEFAULT '',
    canceled_to     bigint NOT NULL DEFAULT 0
);
CREATE INDEX subscriptions_tenant ON outhook.subscriptions (tenant, num);

-- The patterns of those subscriptions that events are kept for. The empty pattern takes all.
CREATE TABLE outhook.subscription_patterns (
    tenant  text NOT NULL,
    pattern text NOT NULL,
    sub     bigint NOT NULL,
    PRIMARY KEY (tenant, pattern, sub)
);
CREATE INDEX subscription_patterns_sub ON outhook.subscription_patterns (sub);

-- What attempts have said of each endpoint. failing_for is in microseconds; latency and pace are in
-- nanoseconds, as they are reckoned with: rounded, what is learnt would differ from replica to
-- replica. pacing is what pace is learnt from, if anything is. It is updated in place: nothing but
-- the key is indexed.
CREATE TABLE outhook.health (
    sub           bigint PRIMARY KEY,
    healthy       boolean NOT NULL DEFAULT false,
    failures      integer NOT NULL DEFAULT 0,
    failing_for   bigint NOT NULL DEFAULT 0,
    last_failure  timestamptz,
    probes        integer NOT NULL DEFAULT 0,
    slow_start    integer NOT NULL DEFAULT 0,
    next_probe_at timestamptz,
    latency       bigint NOT NULL DEFAULT 0,
    held_until    timestamptz,
    pace          bigint NOT NULL DEFAULT 0,
    pacing        jsonb
) WITH (fillfactor = 50);

-- An event with those that get it. It is written once.
CREATE TABLE outhook.events (
    seq         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    enqueued_at timestamptz NOT NULL,
    time        timestamptz NOT NULL,
    erased_at   timestamptz,
    id          text NOT NULL,
    type        text NOT NULL,
    tenant      text NOT NULL,
    key         text NOT NULL,
    trace       text NOT NULL,
    body        bytea NOT NULL,
    recipients  bigint[] NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2);
CREATE UNIQUE INDEX events_id ON outhook.events (id);

-- A delivery of which something has become. One that has no row is pending if its event comes after
-- the low mark of its subscription's share, and else it is over and forgotten. state: 0 pending, 1
-- delivered, 2 dead, 3 canceled. stamp: when it became pending, if not with its event. due: of a
-- pending one, microseconds since 1970, 0 before the first attempt, or up to two seconds after 1970
-- a number that says why it is due at once: 1 asked for, 1 + n waiting after n attempts for an open
-- breaker. due_since: when one with such a number became due. base: attempts that do not count as
-- retries. behind: an earlier one with its key is pending. reason: why it was canceled. log has
-- the attempts, answers what endpoints answered; body is sent in place of the event's.
CREATE TABLE outhook.deliveries (
    sub         bigint NOT NULL,
    seq         bigint NOT NULL,
    stamp       bigint,
    due         bigint,
    due_since   timestamptz,
    finished_at timestamptz,
    attempts    integer NOT NULL DEFAULT 0,
    base        integer,
    state       smallint NOT NULL DEFAULT 0,
    last_status smallint NOT NULL DEFAULT 0,
    body_state  smallint NOT NULL DEFAULT 0,
    behind      boolean NOT NULL DEFAULT false,
    key         text,
    last_error  text,
    reason      text,
    log         bytea,
    answers     bytea,
    body        bytea,
    PRIMARY KEY (sub, seq)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.2,
        autovacuum_vacuum_cost_delay = 0);
-- Lists by state. What succeeds at once is in no index but those of its key and of its end.
CREATE INDEX deliveries_state ON outhook.deliveries (sub, state, seq) WHERE state <> 1;
CREATE INDEX deliveries_due ON outhook.deliveries (sub, due, seq) WHERE state = 0 AND NOT behind;
CREATE INDEX deliveries_key ON outhook.deliveries (sub, key, seq) WHERE state = 0
    AND key IS NOT NULL;
CREATE INDEX deliveries_delivered ON outhook.deliveries (finished_at) WHERE state = 1;
CREATE INDEX deliveries_failed ON outhook.deliveries (finished_at) WHERE state > 1;

-- Replicas that claim, until when each is known to live.
CREATE TABLE outhook.replicas (
    id    bigint PRIMARY KEY,
    until timestamptz NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- The shares that subscriptions are dealt in, by num modulo their count. A share is its owner's
-- until the owner's replica has run out; fence is another one for each owner; previous is who had
-- it before. Of deliveries of a share without a row, those of events up to low are over.
CREATE TABLE outhook.shares (
    id       integer PRIMARY KEY,
    owner    bigint NOT NULL DEFAULT 0,
    previous bigint NOT NULL DEFAULT 0,
    fence    bigint NOT NULL DEFAULT 0,
    low      bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
        autovacuum_vacuum_cost_delay = 0);
INSERT INTO outhook.shares (id) SELECT generate_series(0, 63);

-- What the owner of a share is to look at because somebody else has changed it: pairs of a
-- subscription and an event, where an event of 0 is the subscription itself. fresh: they are new.
CREATE TABLE outhook.notices (
    id    bigint GENERATED ALWAYS AS IDENTITY,
    share integer NOT NULL,
    fresh boolean NOT NULL,
    subs  bigint[] NOT NULL,
    seqs  bigint[] NOT NULL,
    PRIMARY KEY (share, id)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_threshold = -1,
        autovacuum_vacuum_cost_delay = 0);

-- What canceled the deliveries of a subscription that became pending before a number of the events'
-- sequence. It is kept for a day after its deliveries have got rows, for transactions that commit
-- late.
CREATE TABLE outhook.cancellations (
    sub    bigint NOT NULL,
    before bigint NOT NULL,
    at     timestamptz NOT NULL,
    reason text NOT NULL,
    purged  boolean NOT NULL DEFAULT false,
    PRIMARY KEY (sub, before)
);

-- Deleted subscriptions, until their deliveries are gone and for a day after. above: the low mark
-- of its share at the time.
CREATE TABLE outhook.deleted_subscriptions (
    sub   bigint PRIMARY KEY,
    above bigint NOT NULL,
    at    timestamptz NOT NULL,
    purged boolean NOT NULL DEFAULT false
);

-- Events whose deliveries are being told that they are over because they were erased, and the last
-- subscription whose was.
CREATE TABLE outhook.erasures (
    seq  bigint PRIMARY KEY,
    told bigint NOT NULL DEFAULT 0
);

-- What was counted of the attempts of a subscription in five minutes (package rollup), or of all as
-- subscription 0, by each writer: a replica writes rows of its own, so none waits for another. The
-- last of them it writes again and again.
CREATE TABLE outhook.attempt_counts (
    sub    bigint NOT NULL,
    bucket bigint NOT NULL,
    writer bigint NOT NULL,
    counts bytea NOT NULL,
    PRIMARY KEY (sub, bucket, writer)
) WITH (fillfactor = 70);
CREATE INDEX attempt_counts_bucket ON outhook.attempt_counts (bucket);
