-- $1 events: from now on they have no body, and what is pending of them is canceled. Their
-- deliveries are told so in steps.
WITH e AS (
    UPDATE outhook.events e SET body = '', trace = '', erased_at = statement_timestamp()
    WHERE e.seq = ANY ($1::bigint[]) AND e.erased_at IS NULL
    RETURNING e.seq
), marked AS (
    INSERT INTO outhook.erasures (seq) SELECT seq FROM e ON CONFLICT DO NOTHING
)
SELECT count(*) FROM e
