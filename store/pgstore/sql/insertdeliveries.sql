-- Deliveries that get a row: $1 subscription, $2 event, $3 state, $4 due, $5 whether they are over,
-- $6 attempts, $7 status, $8 key, $9 error, $10 reason, $11 log, $12 answers, $13 body, $14 its state.
INSERT INTO outhook.deliveries (sub, seq, state, due, finished_at, attempts, last_status, key, last_error, reason, log, answers, body, body_state)
SELECT o.sub, o.seq, o.state, o.due, CASE WHEN o.over THEN statement_timestamp() END, o.attempts, o.status, o.key, o.error,
    o.reason, o.log, o.answers, o.body, o.body_state
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::boolean[], $6::int[], $7::smallint[], $8::text[],
    $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::bytea[], $14::smallint[])
    AS o(sub, seq, state, due, over, attempts, status, key, error, reason, log, answers, body, body_state)
