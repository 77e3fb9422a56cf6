package dispatcher

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// filtered asks Options.Filter about a delivery that has not been attempted yet, and reports whether that was the end of
// its claim: it is not wanted, or the filter panicked, which is a failed attempt.
func (r *run) filtered(c *store.Claim) bool {
	if r.o.Filter == nil {
		return false
	}
	b, err := parseBody(c.Body)
	if err != nil || c.Attempt > 1 && !b.unasked {
		return false // what is wrong with the body, the sender finds out
	}
	wanted, err := r.askFilter(c, b.event)
	switch {
	case err != nil:
		at := time.Now()
		r.observe.attemptStarted(c, at)
		r.ended(c, r.policy.outcome(c, answer{
			attempt: store.Attempt{At: at, Error: describe(errPanic)},
			keep:    keepUnasked(b.event),
		}))
		return true
	case !wanted:
		r.handOn(c, store.Outcome{
			Lease:   c.Lease,
			Attempt: store.Attempt{Number: c.Attempt, Error: ReasonFiltered},
			State:   store.Canceled,
		})
		return true
	}
	return false
}

// askFilter calls Options.Filter. The error says that it panicked, or that the event can't be read.
func (r *run) askFilter(c *store.Claim, eventBody []byte) (wanted bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("outhook: Options.Filter panicked", "subscription_id", c.SubscriptionID, "event_id", c.EventID, "panic", fmt.Sprint(p))
			err = errPanic
		}
	}()
	e, err := hostEvent(c, eventBody)
	if err != nil {
		r.log.Error("outhook: Options.Filter can't be asked", "subscription_id", c.SubscriptionID, "event_id", c.EventID, "error", err)
		return false, err
	}
	return r.o.Filter(c.Subscription.Clone(), e), nil
}
