-- $1 how many places in the order of events, $2 the table of events
SELECT nextval(pg_get_serial_sequence($2, 'seq')) FROM generate_series(1, $1::bigint) ORDER BY 1
