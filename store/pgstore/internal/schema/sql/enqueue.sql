-- $1 ids, $2 types, $3 tenants, $4 keys, $5 times, $6 bodies, $7 traces, $8 kinds: those of one
-- kind have the same tenant and type; one pattern a row: $9 kind, $10 its tenant, $11 pattern; $12
-- tags with commas between them, $13 not before, $14 expires at, each empty if no event has any;
-- $15 the replica, or 0 in a transaction of the host's; $16 the table of events; $17 whether events
-- may be there already: without, one that is there is an error of the index; $18 what is known of
-- filters, JSON, empty if nothing is: the version of each subscription that was asked, by kind and
-- number; $19 who has refused each event by its filter, as arrays; empty if nobody. Returns a row
-- for each event that is new, and one if none is; the first has the types of those that nobody
-- gets, with commas between them: database/sql reads no arrays. If nothing may be stored, the
-- second column has the ID of an event with other content; the last but one says that a tenant is
-- not settled; the last says that filters are not known, and which: a line of JSON for each kind.
-- If none of them does, what has the IDs is to be removed first (forgetevents).
--
-- What waits for a time, or expires, has rows from the beginning, and notices for the replica
-- itself too: it is among no subscriptions that are returned.
--
-- Who takes a kind is gathered into arrays, one row a kind: joining events with deliveries, a
-- planner that knows the size of neither makes nested loops. A subscription from the future is one
-- from before the server's clock was set back.
WITH asked AS MATERIALIZED (
    SELECT CASE WHEN $18::text <> '' THEN $18::text::jsonb END AS versions
), takers AS MATERIALIZED (
    -- reason: NULL where deliveries are pending. others: some are another replica's
    SELECT t.kind, array_agg(t.sub ORDER BY t.sub) AS subs, array_agg(t.since ORDER BY t.sub)
        AS sinces,
        array_agg(t.reason ORDER BY t.sub) AS reasons, max(t.since) AS latest,
            bool_or(t.reason IS NOT NULL) AS disabled,
        bool_or($15::bigint = 0 OR h.owner <> $15) AS others,
        jsonb_agg(jsonb_build_object('kind', t.kind, 'sub', t.sub, 'version', t.version, 'filter',
            nullif(t.unasked, ''))) FILTER (WHERE t.unasked IS NOT NULL) AS unasked
    FROM (
        SELECT DISTINCT p.kind, s.*
        FROM unnest($9::int[], $10::text[], $11::text[]) AS p(kind, tenant, pattern)
        CROSS JOIN asked
        CROSS JOIN LATERAL (
            SELECT w.sub FROM outhook.subscription_patterns w
            WHERE w.tenant = p.tenant AND w.pattern = p.pattern OFFSET 0) w
        CROSS JOIN LATERAL (
            SELECT s.num AS sub,
                CASE WHEN s.status NOT IN ('Subscribed', 'Paused', 'Unverified')
                    THEN s.disabled_reason END
                AS reason,
                least(coalesce(s.subscribed_at, '-infinity'), statement_timestamp()) AS since,
                s.version,
                -- the filter, if it is to be asked; also of one that had one when it was asked, and
                -- has none any more
                CASE WHEN coalesce(
                    (asked.versions ->> (p.kind || ':' || s.num))::bigint <> s.version,
                    s.settings ? 'filter') THEN coalesce(s.settings ->> 'filter', '') END AS unasked
            FROM outhook.subscriptions s WHERE s.num = w.sub OFFSET 0) s) t
    CROSS JOIN LATERAL (
        SELECT h.owner FROM outhook.shares h WHERE h.id = t.sub % 64 OFFSET 0) h
    GROUP BY t.kind
), e AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[],
        $6::bytea[], $7::text[], $8::int[], $12::text[], $13::timestamptz[], $14::timestamptz[],
        $19::text[])
        WITH ORDINALITY AS e(id, type, tenant, key, time, body, trace, kind, tags, not_before,
            expires_at, refused, ord)
), known AS MATERIALIZED (
    -- free: no delivery of it is left, so it is stored to nobody, and Prune has not got to it
    SELECT e.ord, k.erased_at IS NOT NULL
        OR (k.type, k.key, k.time, k.body) = (e.type, e.key, e.time, e.body) AS same,
        k.erased_at IS NULL AND NOT EXISTS (
            SELECT FROM unnest(k.recipients) AS r(sub)
            JOIN outhook.subscriptions s ON s.num = r.sub JOIN outhook.shares h ON h.id = r.sub % 64
            WHERE k.seq > h.low OR EXISTS (
                SELECT FROM outhook.deliveries d WHERE d.sub = r.sub AND d.seq = k.seq)) AS free
    FROM e CROSS JOIN LATERAL (
        SELECT * FROM outhook.events k WHERE k.id = e.id AND k.tenant = e.tenant OFFSET 0) k
    WHERE $17::boolean OR e.refused IS NOT NULL OR NOT EXISTS ( -- or else the index says it
        SELECT 1 FROM takers t WHERE t.kind = e.kind AND t.latest <= e.time + interval '1 minute')
), moved AS MATERIALIZED (
    -- The snapshot of a host's transaction may be older than the closing of a tenant.
    SELECT EXISTS (SELECT FROM outhook.unsettled_tenants u WHERE u.tenant = ANY ($3))
        OR $15 = 0 AND current_setting('transaction_isolation') IN ('repeatable read',
            'serializable')
        AND (SELECT c.last_value FROM outhook.tenant_closed_at c)
            >= extract(epoch FROM transaction_timestamp()) * 1000000 AS yes
), allowed AS MATERIALIZED (
    SELECT NOT m.yes AND NOT EXISTS (SELECT 1 FROM known WHERE free OR NOT same)
        AND NOT EXISTS (SELECT 1 FROM takers WHERE unasked IS NOT NULL) AS ok, m.yes AS moved
    FROM moved m
), fresh AS MATERIALIZED (
    -- later: its deliveries get rows, as they wait for a time or expire
    SELECT n.*, nextval((SELECT pg_get_serial_sequence($16::text, 'seq'))::regclass) AS seq,
        n.expires_at IS NOT NULL OR coalesce(n.not_before > statement_timestamp(), false) AS later
    FROM (
        SELECT e.*, CASE WHEN e.refused IS NOT NULL THEN ARRAY(
            SELECT u.sub FROM unnest(t.subs, t.sinces) AS u(sub, since)
                WHERE u.since <= e.time + interval '1 minute'
            EXCEPT SELECT unnest(e.refused::bigint[]) ORDER BY 1)
            WHEN t.latest <= e.time + interval '1 minute' THEN t.subs ELSE ARRAY(
            SELECT u.sub FROM unnest(t.subs, t.sinces) AS u(sub, since)
                WHERE u.since <= e.time + interval '1 minute')
            END AS recipients
        FROM e JOIN takers t USING (kind)
        WHERE (SELECT ok FROM allowed) AND e.ord NOT IN (SELECT ord FROM known)
        ORDER BY e.ord) n
    WHERE n.recipients <> '{}'
), stored AS (
    INSERT INTO outhook.events (seq, id, type, tenant, key, time, enqueued_at, body, trace,
        recipients, tags, not_before, expires_at) OVERRIDING SYSTEM VALUE
    SELECT seq, id, type, tenant, key, time, statement_timestamp(), body, trace, recipients,
        string_to_array(tags, ','), not_before, expires_at
        FROM fresh
), expiring AS (
    INSERT INTO outhook.expiries (at, seq) SELECT expires_at, seq FROM fresh
        WHERE expires_at > statement_timestamp()
), apart AS MATERIALIZED ( -- deliveries of which more is to be written
    SELECT f.seq, nullif(f.key, '') AS key, u.sub, coalesce(u.reason,
            CASE WHEN f.expires_at <= statement_timestamp() THEN 'expired' END) AS reason,
        f.later, CASE WHEN f.not_before > statement_timestamp()
            THEN (extract(epoch FROM f.not_before) * 1000000)::bigint + 1 ELSE 0 END AS due
    FROM fresh f JOIN takers t USING (kind)
    CROSS JOIN LATERAL unnest(t.subs, t.sinces, t.reasons) AS u(sub, since, reason)
    WHERE (t.disabled OR t.others OR f.later) AND u.since <= f.time + interval '1 minute'
        AND (f.refused IS NULL OR u.sub = ANY (f.recipients))
), canceled AS (
    INSERT INTO outhook.deliveries (sub, seq, state, finished_at, reason)
    SELECT sub, seq, 3, statement_timestamp(), reason FROM apart WHERE reason IS NOT NULL
), waiting AS ( -- where nobody knows when it commits, nothing may depend on the order of numbers
    INSERT INTO outhook.deliveries (sub, seq, due, key)
    SELECT sub, seq, due, key FROM apart WHERE reason IS NULL AND ($15 = 0 OR later)
), noticed AS (
    INSERT INTO outhook.notices (share, fresh, subs, seqs)
    SELECT h.id, $15 <> 0, array_agg(a.sub), array_agg(a.seq)
    FROM apart a CROSS JOIN LATERAL (
        SELECT h.id, h.owner FROM outhook.shares h WHERE h.id = a.sub % 64 OFFSET 0) h
    WHERE a.reason IS NULL AND ($15 = 0 OR h.owner <> $15 OR a.later)
    GROUP BY h.id
)
SELECT a.ok, (SELECT e.id FROM known JOIN e USING (ord) WHERE NOT (same OR free) LIMIT 1), f.seq,
    CASE WHEN f.later THEN '{}' WHEN t.disabled THEN ARRAY(
        SELECT u.sub FROM unnest(t.subs, t.reasons) AS u(sub, reason)
        WHERE u.reason IS NULL AND u.sub = ANY (f.recipients)) ELSE f.recipients END,
    t.others,
    CASE WHEN f.seq IS NULL OR f.seq = (SELECT min(seq) FROM fresh) THEN (
        SELECT string_agg(e.type, ',') FROM e WHERE e.ord NOT IN (SELECT ord FROM known)
            AND e.ord NOT IN (SELECT ord FROM fresh)) END,
    a.moved, CASE WHEN NOT a.ok THEN (SELECT string_agg(unasked::text, chr(10)) FROM takers) END
FROM allowed a LEFT JOIN fresh f ON true LEFT JOIN takers t ON t.kind = f.kind
ORDER BY f.seq
