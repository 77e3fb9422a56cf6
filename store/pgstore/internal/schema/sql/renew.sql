-- $1 replica, $2 for how long in microseconds. Returns the server's time, and when the server was
-- started, by which the replica sees that it talks to another: see package ownership. The lease
-- begins when the server gets the statement; the replica counts it from before it was sent.
INSERT INTO outhook.replicas (id, until)
VALUES ($1, statement_timestamp() + $2::bigint * interval '1 microsecond')
ON CONFLICT (id) DO UPDATE SET until = EXCLUDED.until
RETURNING statement_timestamp(), pg_postmaster_start_time()
