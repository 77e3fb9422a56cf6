package httpapi

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/outhook/outhook/dispatcher"
)

// writeQuota answers a request that would exceed a quota of the tenant: 429, and when to try again.
func writeQuota(w http.ResponseWriter, e *dispatcher.QuotaError) {
	seconds := strconv.Itoa(max(int((e.RetryAfter+time.Second-1)/time.Second), 1))
	w.Header().Set("Retry-After", seconds)
	writeError(w, http.StatusTooManyRequests, quotaMessage(e, seconds))
}

// quotaMessage names the quota and says what to do.
func quotaMessage(e *dispatcher.QuotaError, seconds string) string {
	again := "; try again in " + seconds + " s"
	switch e.Kind {
	case dispatcher.QuotaSubscriptions:
		return fmt.Sprintf(
			"the quota of %d webhooks is used up; delete one that is not needed any more",
			e.Limit,
		)
	case dispatcher.QuotaSubscriptionBytes:
		return fmt.Sprintf(
			"the webhook would exceed the quota of %d bytes for url, name, events, headers and "+
				"keys; shorten or remove some",
			e.Limit,
		)
	case dispatcher.QuotaPings:
		return fmt.Sprintf("the quota of %d pings a minute is used up", e.Limit) + again
	case dispatcher.QuotaReplays:
		return fmt.Sprintf(
			"the quota of %d redeliveries and replays a minute is used up",
			e.Limit,
		) + again
	case dispatcher.QuotaSubscriptionPings:
		return "the webhook has had a ping a second, which is the quota" + again
	}
	return "a quota is used up" + again
}
