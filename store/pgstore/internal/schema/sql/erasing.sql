SELECT seq FROM outhook.erasures ORDER BY seq LIMIT 1
