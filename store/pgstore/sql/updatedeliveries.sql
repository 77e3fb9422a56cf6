-- The same of deliveries that have a row. A status or an error of NULL leaves that of the last
-- attempt.
UPDATE outhook.deliveries d SET state = o.state, due = o.due, finished_at = CASE WHEN o.over THEN statement_timestamp() END,
    attempts = o.attempts, last_status = coalesce(o.status, d.last_status), key = o.key,
    last_error = CASE WHEN o.status IS NULL THEN d.last_error ELSE o.error END, reason = o.reason, behind = false,
    log = CASE WHEN d.log IS NULL THEN o.log ELSE d.log || coalesce(o.log, '') END,
    answers = CASE WHEN d.answers IS NULL THEN o.answers ELSE d.answers || coalesce(o.answers, '') END,
    body = CASE o.body_state WHEN 0 THEN d.body ELSE o.body END,
    body_state = CASE o.body_state WHEN 0 THEN d.body_state ELSE o.body_state END
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::boolean[], $6::int[], $7::smallint[], $8::text[],
    $9::text[], $10::text[], $11::bytea[], $12::bytea[], $13::bytea[], $14::smallint[])
    AS o(sub, seq, state, due, over, attempts, status, key, error, reason, log, answers, body, body_state)
WHERE d.sub = o.sub AND d.seq = o.seq
