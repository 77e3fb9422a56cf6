-- $1 what the tokens of claims begin with that may have been made but were not heard of: gives them back.
WITH freed AS (
    UPDATE outhook.leases l SET token = 0, leased_till = NULL
    WHERE l.slot = ANY (ARRAY(
        SELECT l.slot FROM outhook.leases l
        JOIN unnest($1::bigint[]) AS t(base) ON l.token >= t.base AND l.token < t.base + 262144
        ORDER BY l.slot FOR UPDATE OF l))
    RETURNING l.sub, l.seq
)
INSERT INTO outhook.signals (sub, seq) SELECT sub, min(seq) FROM freed GROUP BY sub
