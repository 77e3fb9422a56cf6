package engine

import (
	"log/slog"
	"time"

	"golang.org/x/time/rate"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

// Limiter is a limiter without a Run.
type Limiter struct{ l *limiter }

func NewLimiter(limit func(store.Subscription) (rate.Limit, int), log *slog.Logger) Limiter {
	return Limiter{newLimiter(limit, 64, log)}
}

// Take takes a token, or says how long to wait.
func (l Limiter) Take(id string, now time.Time) time.Duration {
	return l.l.take(&store.Subscription{ID: id}, now)
}

// Calls is how many calls it keeps something of.
func (l Limiter) Calls() int { return len(l.l.limits.open) }

// Len is how many subscriptions it keeps something of.
func (l Limiter) Len() int { return len(l.l.buckets) }

// Tickets are tickets without a Run.
type (
	Tickets struct{ t *tickets }
	Ticket  struct{ k *ticket }
)

func NewTickets(max int) Tickets { return Tickets{newTickets(max)} }

func (t Tickets) Free() int            { return t.t.free() }
func (t Tickets) Begin() uint64        { return t.t.begin() }
func (t Tickets) Admit(k Ticket) bool  { return t.t.admit(k.k) }
func (t Tickets) AttemptDone(k Ticket) { t.t.attemptDone(k.k) }
func (t Tickets) Close(k Ticket)       { t.t.close(k.k) }
func (t Tickets) Invalidate(of Subject) {
	t.t.invalidate(of)
}
func (t Tickets) Crowded(subscriptionID string, max int) bool {
	return t.t.crowded(subscriptionID, max)
}

func (t Tickets) Issue(epoch uint64, claims ...store.Claim) (out []Ticket) {
	t.t.issue(claims)
	for _, c := range claims {
		out = append(out, Ticket{&ticket{claim: c, epoch: epoch}})
	}
	return out
}

// Remembered is how many changes the fence remembers.
func (t Tickets) Remembered() int { return len(t.t.fence.invalidated) }

// Woken reports whether claimLoop would look again, and takes that.
func (t Tickets) Woken() bool {
	select {
	case <-t.t.freed:
		return true
	default:
		return false
	}
}

// OutcomeOf decides what follows from an attempt.
func (e *Engine) OutcomeOf(c *store.Claim, r *send.Result) store.Outcome {
	return e.outcomeOf(c, r)
}
