package show

import (
	"fmt"
	"math"
	"time"

	"github.com/outhook/outhook/dispatcher"
)

// QuotaText says which bound of a tenant was reached, and what to do.
func QuotaText(e *dispatcher.QuotaError) string {
	n := Number(e.Limit)
	seconds := time.Duration(RetrySeconds(e)) * time.Second
	switch e.Kind {
	case dispatcher.QuotaSubscriptions:
		return "The bound of " + n + " webhooks is reached. Delete one that is not needed."
	case dispatcher.QuotaSubscriptionBytes:
		return "The bound of " + n + " bytes for one webhook is reached. " +
			"Use fewer or shorter headers and types."
	case dispatcher.QuotaPending:
		return "The bound of " + n + " pending deliveries is reached. Repair or delete the webhooks " +
			"for which most wait."
	case dispatcher.QuotaPolls:
		return fmt.Sprintf("The bound of %s polls at once is reached. Try again in %v.", n, seconds)
	case dispatcher.QuotaHostProofs:
		return fmt.Sprintf("The host of the webhook was asked to agree as often as it may be, which is "+
			"%s times a minute. Try again in %v.", n, seconds)
	case dispatcher.QuotaPings, dispatcher.QuotaSubscriptionPings:
		return fmt.Sprintf("The bound of %s tests a minute is reached. Try again in %v.", n, seconds)
	case dispatcher.QuotaReplays:
		return fmt.Sprintf("The bound of %s redeliveries and replays a minute is reached. "+
			"Try again in %v.", n, seconds)
	}
	return fmt.Sprintf("A bound of %s is reached. Try again in %v.", n, seconds)
}

// RetrySeconds is in how many whole seconds a call is allowed again that a quota has refused.
func RetrySeconds(e *dispatcher.QuotaError) int {
	return int(math.Ceil(e.RetryAfter.Seconds()))
}
