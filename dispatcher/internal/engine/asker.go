package engine

import (
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

const (
	// patience is how long claimLoop waits for an answer of Policy. A function that answers from
	// memory needs a thousandth of it. After one has taken longer, claimLoop waits shortPatience
	// for a while, so that a function which is slow for all does not hold it up.
	patience      = 5 * time.Millisecond
	shortPatience = 100 * time.Microsecond
	patienceAgain = time.Second

	// An answer that did not come in time is looked for again after askAgainFirst, then less often,
	// up to askAgainLast.
	askAgainFirst = 50 * time.Millisecond
	askAgainLast  = time.Second
)

// asker asks the host for policies, each in a goroutine of its own: a call that blocks holds up
// its subscription, and nobody else. It belongs to claimLoop alone.
type asker struct {
	call func(store.Subscription) (*Policy, error)
	max  int // questions at once
	log  *slog.Logger

	calls    sync.WaitGroup
	open     map[string]*question // by subscription: not answered, or the answer has not been fetched
	slowedAt time.Time            // when an answer last did not come in time
}

// question is one call. What it answers may be read once done is closed.
type question struct {
	at        time.Time
	updatedAt time.Time // of the subscription
	done      chan struct{}

	policy *Policy // nil if the call failed or panicked
}

// newAsker returns an asker that has asked nothing yet. Of call, which may panic and need not
// return, at most max calls run at once.
func newAsker(
	call func(store.Subscription) (*Policy, error), max int, log *slog.Logger,
) *asker {
	return &asker{call: call, max: max, log: log, open: make(map[string]*question)}
}

// ask returns the answer about a subscription; if there is none yet, when to ask again.
func (a *asker) ask(sub *store.Subscription, now time.Time) (answer *question,
	again time.Duration) {
	q := a.open[sub.ID]
	asked := q != nil
	if !asked {
		if len(a.open) >= a.max && !a.makeRoom() {
			return nil, askAgainLast
		}
		q = a.start(sub, now)
	}
	if !a.answered(q, asked, now) {
		// As long again as it has taken so far. Each look costs the store a claim and a release, so
		// a call that never returns must not be looked for every few milliseconds.
		return nil, min(max(now.Sub(q.at), askAgainFirst), askAgainLast)
	}
	delete(a.open, sub.ID)
	return q, 0
}

// answered reports whether a question has been answered. It waits a moment for one that has just
// been asked, and not again for one that it has waited for already.
func (a *asker) answered(q *question, asked bool, now time.Time) bool {
	if asked {
		select {
		case <-q.done:
			return true
		default:
			return false
		}
	}
	d := patience
	if !a.slowedAt.IsZero() && now.Sub(a.slowedAt) < patienceAgain {
		d = shortPatience
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-q.done:
		return true
	case <-timer.C:
		// Not now, which was before the wait: the shorter patience counts from its end.
		a.slowedAt = time.Now()
		return false
	}
}

// start calls the function of the host in a goroutine of its own. An error or a panic is logged,
// and answers the question with no policy.
func (a *asker) start(sub *store.Subscription, now time.Time) *question {
	q := &question{at: now, updatedAt: sub.UpdatedAt, done: make(chan struct{})}
	a.open[sub.ID] = q
	// The claim's memory is not the goroutine's: the claim may be released before it returns.
	s := *sub
	a.calls.Go(func() {
		// Deferred first, so that it runs last: once done is closed, nothing writes to q.
		defer close(q.done)
		defer func() {
			if p := recover(); p != nil {
				a.log.Error("outhook: Options.Policy panicked",
					"subscription_id", s.ID, "panic", fmt.Sprint(p))
			}
		}()
		p, err := a.call(s)
		if err != nil {
			a.log.Error("outhook: Options.Policy gave nothing that can be used; attempts wait",
				"subscription_id", s.ID, "error", err)
			return
		}
		q.policy = p
	})
	return q
}

// makeRoom forgets answers that nobody has fetched, as of subscriptions that have nothing due any
// more, and reports whether there was one.
func (a *asker) makeRoom() bool {
	for id, q := range a.open {
		select {
		case <-q.done:
			delete(a.open, id)
		default:
		}
	}
	return len(a.open) < a.max
}

// wait waits for all calls to return.
func (a *asker) wait() { a.calls.Wait() }
