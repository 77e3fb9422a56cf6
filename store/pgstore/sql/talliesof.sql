-- $1 subscription, $2 first slot, $3 last slot
SELECT slot, writer, counts FROM outhook.tallies WHERE sub = $1 AND slot BETWEEN $2 AND $3
