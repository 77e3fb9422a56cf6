-- What insertdeliveries does, of deliveries that have a row, with the same parameters. They are
-- locked already (see subjects). A status or an error of NULL leaves that of the last attempt.
UPDATE outhook.deliveries d SET state = o.state, due = o.due, due_since = o.due_since,
    finished_at = CASE WHEN o.over THEN statement_timestamp() END,
    attempts = o.attempts, base = nullif(o.base, 0), last_status = coalesce(o.status,
        d.last_status), key = o.key,
    last_error = CASE WHEN o.status IS NULL THEN d.last_error ELSE o.error END, reason = o.reason,
        behind = false,
    log = CASE WHEN o.whole OR d.log IS NULL THEN o.log ELSE d.log || coalesce(o.log, '') END,
    answers = CASE WHEN o.whole OR d.answers IS NULL THEN o.answers
        ELSE d.answers || coalesce(o.answers, '') END,
    body = CASE o.body_state WHEN 0 THEN d.body ELSE o.body END,
    body_state = CASE o.body_state WHEN 0 THEN d.body_state ELSE o.body_state END
FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::bigint[], $5::timestamptz[],
    $6::boolean[], $7::int[], $8::int[],
    $9::smallint[], $10::text[], $11::text[], $12::text[], $13::bytea[], $14::bytea[],
        $15::boolean[], $16::bytea[], $17::smallint[])
    AS o(sub, seq, state, due, due_since, over, attempts, base, status, key, error, reason, log,
        answers, whole, body, body_state)
WHERE d.sub = o.sub AND d.seq = o.seq
