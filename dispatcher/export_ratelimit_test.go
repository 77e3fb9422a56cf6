package dispatcher

import (
	"time"

	"github.com/outhook/outhook/store"
)

// Limiter is a limiter without a Run.
type Limiter struct{ l *limiter }

func NewLimiter(o *Options) Limiter {
	opts := o.withDefaults()
	return Limiter{newLimiter(&opts)}
}

// Take takes a token, or says how long to wait.
func (l Limiter) Take(id string, now time.Time) time.Duration {
	return l.l.take(&store.Subscription{ID: id}, now)
}

// Len is how many subscriptions it keeps something of.
func (l Limiter) Len() int { return len(l.l.buckets) }
