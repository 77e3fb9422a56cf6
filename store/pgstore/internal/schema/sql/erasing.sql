-- An erasure to go on with: the oldest, so that one is over before the next goes on.
SELECT seq FROM outhook.erasures ORDER BY seq LIMIT 1
