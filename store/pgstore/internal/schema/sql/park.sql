-- $1 subscriptions, $2 events, $3 keys: deliveries that an earlier one of their key blocks. One may
-- have got a row since it was read, and may have ended: that stays as it is.
INSERT INTO outhook.deliveries (sub, seq, due, key, behind)
SELECT p.sub, p.seq, 0, p.key, true FROM unnest($1::bigint[], $2::bigint[], $3::text[])
    AS p(sub, seq, key)
ORDER BY p.sub, p.seq
ON CONFLICT (sub, seq) DO UPDATE SET behind = true WHERE deliveries.state = 0
