-- $1 how many, $2 lease in microseconds, $3 PerSubscription, $4 MaxUnhealthy, $5 BreakerThreshold, $6 what tokens begin with,
-- $7 how many subscriptions to look at, $8 tokens of successes that are about to be recorded, $9 Failing, $10 subscriptions
-- to leave out.
WITH c AS MATERIALIZED (
    SELECT turn, last_class FROM outhook.clerk
), lapsed AS MATERIALIZED ( -- leases that have run out, but for those whose outcome is being recorded right now
    SELECT slot, sub, seq FROM outhook.leases WHERE token <> 0 AND leased_till <= statement_timestamp()
    ORDER BY slot FOR UPDATE SKIP LOCKED
), taken AS MATERIALIZED (
    SELECT sub, seq, leased_till, token FROM outhook.leases WHERE token <> 0 AND slot NOT IN (SELECT slot FROM lapsed)
), busy AS MATERIALIZED (
    SELECT sub, count(*) AS n FROM taken
    WHERE leased_till > statement_timestamp() AND token <> ALL ($8::bigint[]) GROUP BY sub
), used AS MATERIALIZED (
    SELECT coalesce(sum(b.n), 0)::bigint AS unhealthy, coalesce(sum(b.n) FILTER (WHERE h.class = 2), 0)::bigint AS failing
    FROM busy b CROSS JOIN LATERAL (SELECT h.class FROM outhook.health h WHERE h.sub = b.sub OFFSET 0) h
    WHERE h.class > 0
), room AS MATERIALIZED (
    SELECT CASE WHEN $4::bigint > 0 THEN greatest($4 - unhealthy, 0) ELSE $7::bigint + $1::bigint END AS unhealthy,
        CASE WHEN $9::bigint > 0 THEN greatest($9 - failing, 0) ELSE $7 + $1 END AS failing
    FROM used
), paused AS MATERIALIZED (
    SELECT s.num FROM unnest($10::text[]) AS p(id)
    CROSS JOIN LATERAL (SELECT s.num FROM outhook.subscriptions s WHERE s.id = p.id OFFSET 0) s
), ring AS MATERIALIZED (
    SELECT t.* FROM room
    CROSS JOIN (VALUES (0::smallint), (1::smallint), (2::smallint)) AS k(class)
    CROSS JOIN LATERAL (
        SELECT t.sub, t.epoch, t.class, t.seat, t.next, t.keyed, t.retry_first, l.room
        FROM ( -- only busy ones can be at their limit
            SELECT t.*, h.failures, h.slow_start FROM outhook.turns t
            CROSS JOIN LATERAL (SELECT h.* FROM outhook.health h WHERE h.sub = t.sub OFFSET 0) h
            WHERE t.ready AND t.class = k.class AND h.class = k.class
              AND (h.next_probe_at IS NULL OR h.next_probe_at <= statement_timestamp()) AND t.sub NOT IN (SELECT num FROM paused)
            ORDER BY t.seat LIMIT $7 + (SELECT count(*) FROM busy)) t
        LEFT JOIN busy b ON b.sub = t.sub
        CROSS JOIN LATERAL (SELECT CASE WHEN $5::bigint > 0 AND t.failures >= $5 THEN 1
            WHEN $3::bigint > 0 THEN greatest($3 >> t.slow_start, 1)
            ELSE greatest($1, 1) + coalesce(b.n, 0) END - coalesce(b.n, 0) AS room) l
        WHERE l.room > 0
        ORDER BY t.seat
        LIMIT least($7, CASE WHEN k.class > 0 THEN room.unhealthy END, CASE WHEN k.class = 2 THEN room.failing END)) t
), want AS MATERIALIZED ( -- how many to look for: one when there are enough others
    SELECT r.*, w.want, w.want + CASE WHEN r.keyed THEN 200 ELSE 1 END AS reach
    FROM (
        SELECT r.*, count(*) OVER (PARTITION BY r.class) AS company, CASE WHEN r.class = 0
            THEN least(count(*) FILTER (WHERE r.class > 0) OVER (), room.unhealthy)
            ELSE count(*) OVER () - count(*) OVER (PARTITION BY r.class) END AS others
        FROM ring r, room) r
    CROSS JOIN LATERAL (SELECT CASE WHEN r.company >= $1 - least(r.others, $1 / 2) THEN 1
        ELSE least(r.room, $1) END AS want) w
), found AS MATERIALIZED (
    SELECT r.sub, r.class, r.seat, r.want, r.reach, r.retry_first, d.seq, d.lane, d.i, d.keyed, d.keyed AND EXISTS (
        SELECT 1 FROM outhook.queue p
        WHERE p.sub = r.sub AND p.epoch = r.epoch AND p.key = d.key AND p.key <> '' AND p.seq < d.seq) AS behind
    FROM want r CROSS JOIN LATERAL (
        SELECT f.seq, 0 AS lane, f.key <> '' AS keyed, f.key, row_number() OVER (ORDER BY f.seq) AS i FROM (
            SELECT q.seq, q.key FROM outhook.queue q
            WHERE q.sub = r.sub AND q.epoch = r.epoch AND q.lane = 0 AND q.seq >= r.next
              AND (q.sub, q.seq) NOT IN (SELECT sub, seq FROM taken)
            ORDER BY q.seq LIMIT r.reach) f
        UNION ALL
        SELECT f.seq, 1, f.key <> '', f.key, row_number() OVER (ORDER BY f.due, f.seq) FROM (
            SELECT q.seq, q.key, q.due FROM outhook.queue q
            WHERE q.sub = r.sub AND q.epoch = r.epoch AND q.lane = 1 AND q.due <= statement_timestamp()
              AND (q.sub, q.seq) NOT IN (SELECT sub, seq FROM taken)
            ORDER BY q.due, q.seq LIMIT r.reach) f
    ) d
), parked AS (
    UPDATE outhook.queue q SET lane = 2 FROM found f WHERE f.behind AND q.seq = f.seq AND q.sub = f.sub
), open AS ( -- the two lanes of a subscription take turns
    SELECT f.*, row_number() OVER (PARTITION BY f.sub ORDER BY f.i2, (f.lane = 0) = f.retry_first) AS n FROM (
        SELECT f.*, row_number() OVER (PARTITION BY f.sub, f.lane ORDER BY f.i) AS i2 FROM found f WHERE NOT f.behind) f
), ranked AS ( -- and so do the subscriptions of a class
    SELECT o.*, row_number() OVER (PARTITION BY o.class ORDER BY o.n, o.seat) AS place FROM open o WHERE o.n <= o.want
), lined AS ( -- and the classes, the one after whose turn was the last first
    SELECT r.*, row_number() OVER w AS o, count(*) FILTER (WHERE r.class > 0) OVER w AS unhealthy
    FROM ranked r, c, room WHERE r.class < 2 OR r.place <= room.failing
    WINDOW w AS (ORDER BY r.place, (r.class + 2 - c.last_class) % 3)
), chosen AS MATERIALIZED (
    SELECT l.sub, l.seq, l.lane, l.keyed, l.class, row_number() OVER (ORDER BY l.o) AS o
    FROM lined l, room WHERE l.class = 0 OR l.unhealthy <= room.unhealthy
    ORDER BY o LIMIT least($1, 131072 - (SELECT count(*) FROM taken) - (SELECT count(*) FROM lapsed))
), pool AS MATERIALIZED (
    SELECT slot, row_number() OVER (ORDER BY own DESC, slot) AS o FROM (
        SELECT l.slot, true AS own FROM lapsed l JOIN chosen USING (sub, seq)
        UNION ALL
        (SELECT slot, false FROM outhook.leases WHERE token = 0 ORDER BY slot LIMIT $1)) x
), leased AS (
    UPDATE outhook.leases l SET sub = ch.sub, seq = ch.seq, token = $6::bigint + l.slot * 2 + ch.keyed::int,
        leased_till = statement_timestamp() + $2::bigint * interval '1 microsecond'
    FROM chosen ch JOIN pool p USING (o) WHERE l.slot = p.slot
    RETURNING ch.o, l.token
), added AS (
    INSERT INTO outhook.leases (slot, token, sub, seq, leased_till)
    SELECT s.slot, $6 + s.slot * 2 + ch.keyed::int, ch.sub, ch.seq,
        statement_timestamp() + $2 * interval '1 microsecond'
    FROM chosen ch
    CROSS JOIN LATERAL (SELECT (SELECT coalesce(max(slot), -1) FROM outhook.leases) + ch.o - (SELECT count(*) FROM pool) AS slot) s
    WHERE ch.o > (SELECT count(*) FROM pool)
    RETURNING slot, token
), lanes AS (
    SELECT w.sub, w.seat, w.next, w.retry_first, w.epoch, w.company,
        count(f.seq) - count(ch.seq) - count(*) FILTER (WHERE f.behind) AS rest,
        greatest(count(*) FILTER (WHERE f.lane = 0), count(*) FILTER (WHERE f.lane = 1)) >= w.reach AS beyond,
        min(f.seq) FILTER (WHERE f.lane = 0 AND NOT f.behind AND ch.seq IS NULL) AS following,
        max(f.seq) FILTER (WHERE f.lane = 0) AS last,
        max(ch.o) AS o,
        (array_agg(ch.lane ORDER BY ch.o DESC) FILTER (WHERE ch.seq IS NOT NULL))[1] AS last_lane
    FROM want w LEFT JOIN found f ON f.sub = w.sub LEFT JOIN chosen ch ON ch.sub = f.sub AND ch.seq = f.seq
    GROUP BY w.sub, w.seat, w.next, w.retry_first, w.epoch, w.company, w.reach
), turned AS (
    UPDATE outhook.turns t SET
        ready = l.rest > 0 OR l.beyond,
        due = (
            SELECT q.due FROM outhook.queue q
            WHERE q.sub = l.sub AND q.epoch = l.epoch AND q.lane = 1 AND q.due > statement_timestamp()
            ORDER BY q.due, q.seq LIMIT 1),
        seat = CASE WHEN l.o IS NULL OR l.company = 1 THEN l.seat ELSE c.turn + l.o END,
        next = coalesce(l.following, l.last + 1, l.next),
        retry_first = coalesce(l.last_lane = 0, l.retry_first)
    FROM lanes l, c WHERE t.sub = l.sub
), clerked AS (
    UPDATE outhook.clerk k SET turn = k.turn + $1, last_class = (SELECT class FROM chosen ORDER BY o DESC LIMIT 1)
    WHERE EXISTS (SELECT 1 FROM chosen)
)
SELECT l.o, l.token, (SELECT count(*) FROM chosen) < $1 AND EXISTS (
    SELECT 1 FROM want w WHERE NOT EXISTS (SELECT 1 FROM found f WHERE f.sub = w.sub AND NOT f.behind)) AS again,
    (extract(epoch FROM statement_timestamp() - transaction_timestamp()) * 1000000)::bigint AS waited
FROM (SELECT 1) one LEFT JOIN (
    SELECT o, token FROM leased
    UNION ALL
    SELECT (SELECT count(*) FROM pool) + row_number() OVER (ORDER BY slot), token FROM added) l ON true
