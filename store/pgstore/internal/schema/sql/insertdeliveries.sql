-- Deliveries that get a row: $1 subscription, $2 event, $3 state, $4 due, $5 since when, if at
-- once, $6 whether they are over, $7 attempts, $8 how many of them are no retries, $9 status, $10
-- key, $11 error, $12 reason, $13 log, $14 answers, $15 whether these two are all and not what is
-- added, $16 body, $17 its state. A row that is there by now is an error, on purpose: what was
-- decided did not know of it.
INSERT INTO outhook.deliveries (sub, seq, state, due, due_since, finished_at, attempts, base,
    last_status, key, last_error,
    reason, log, answers, body, body_state)
SELECT o.sub, o.seq, o.state, o.due, o.due_since, CASE WHEN o.over THEN statement_timestamp() END,
    o.attempts, nullif(o.base, 0),
    o.status, o.key, o.error, o.reason, o.log, o.answers, o.body, o.body_state
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::timestamptz[],
    $6::boolean[], $7::int[], $8::int[],
    $9::smallint[], $10::text[], $11::text[], $12::text[], $13::bytea[], $14::bytea[],
        $15::boolean[], $16::bytea[], $17::smallint[])
    AS o(sub, seq, state, due, due_since, over, attempts, base, status, key, error, reason, log,
        answers, whole, body, body_state)
ORDER BY o.sub, o.seq
