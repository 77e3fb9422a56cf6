package h1

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// keepAliveMargin is how long before the end of what an endpoint has promised its connection is
// used no more: a request needs time to arrive, and the endpoint began to count before we did.
const keepAliveMargin = time.Second

// keepAlive reads the header Keep-Alive (RFC 2068, 19.7.1, as servers still send it): how long the
// endpoint leaves the connection open, and whether for another request at all. d is limit if it
// does not say, or longer. Of a promise below two seconds half is margin.
func keepAlive(h http.Header, limit time.Duration) (d time.Duration, again bool) {
	d = limit
	for _, line := range h["Keep-Alive"] {
		for parameter := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			n, err := strconv.Atoi(strings.Trim(value, `" `))
			if err != nil || n < 0 {
				continue // not a promise that could be kept
			}
			switch {
			case n == 0:
				return 0, false
			case strings.EqualFold(name, "timeout") && n <= int(limit/time.Second)+1: // beyond, n could overflow
				promised := time.Duration(n) * time.Second
				d = min(d, promised-min(keepAliveMargin, promised/2))
			}
		}
	}
	return d, true
}
