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

// keepAlive reads the header Keep-Alive (RFC 2068, 19.7.1, as servers still send it): how long a
// connection may be used after the answer that has it. That is limit if the endpoint does not say,
// or promises more; zero if there is to be no other request. Of a promise below two seconds half is
// margin.
func keepAlive(h http.Header, limit time.Duration) time.Duration {
	d := limit
	for _, line := range h["Keep-Alive"] {
		for parameter := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			n, err := strconv.Atoi(strings.Trim(value, `" `))
			if err != nil || n < 0 {
				continue // not a promise that could be kept
			}
			switch {
			case n == 0:
				return 0
			case strings.EqualFold(name, "timeout") && n <= int(limit/time.Second)+1:
				// beyond, n could overflow
				promised := time.Duration(n) * time.Second
				d = min(d, promised-min(keepAliveMargin, promised/2))
			}
		}
	}
	return d
}
