package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

const (
	maxFinishBatch  = 256             // outcomes in one store.Finish
	maxFinishers    = 64              // store.Finish calls at once
	storeGrace      = 5 * time.Second // for the store, once Run has nothing else to wait for
	storeRetryFirst = 50 * time.Millisecond
	storeRetryMax   = 5 * time.Second
)

// finishLoop records outcomes until there are no more. It takes what has come together and does not wait for a batch to be
// recorded before it begins the next: a lease stops counting against a subscription's limit as soon as Finish is called.
func (r *run) finishLoop() {
	var calls errgroup.Group
	calls.SetLimit(maxFinishers)
	for first := range r.outcomes {
		runtime.Gosched() // those who are about to finish too can share the call
		batch := r.gather(first)
		calls.Go(func() error {
			r.finish(batch)
			return nil
		})
	}
	calls.Wait()
}

// gather returns first and what else is there already.
func (r *run) gather(first finished) []finished {
	batch := append(make([]finished, 0, 1+len(r.outcomes)), first)
	for len(batch) < maxFinishBatch {
		select {
		case f, ok := <-r.outcomes:
			if !ok {
				return batch
			}
			batch = append(batch, f)
		default:
			return batch
		}
	}
	return batch
}

// finish records a batch, trying again while the store is in trouble, and does what follows from it.
func (r *run) finish(batch []finished) {
	outcomes := make([]store.Outcome, len(batch))
	for i := range batch {
		outcomes[i] = batch[i].outcome
	}
	results, err := persist(r.rest, r, "finish", func(ctx context.Context) ([]store.Result, error) {
		return r.store.Finish(ctx, outcomes...)
	})
	if err != nil {
		r.roomMade()
		r.log.Error("outhook: outcomes were not recorded; their deliveries will be attempted again", "outcomes", len(batch), "error", err)
		return
	}
	moved := false // there is more to claim, or room for it, than the store said when the call began
	var news []events.Event
	for i := range results {
		res := &results[i]
		moved = moved || res.Ignored || res.Before != res.After || outcomes[i].State == store.Canceled
		if !res.Ignored {
			news = r.follow(&batch[i], res, news)
		}
	}
	if moved {
		r.roomMade()
	}
	r.announce(news)
}

// follow does what follows from an outcome that counted, and adds the operational events about it to news.
func (r *run) follow(f *finished, res *store.Result, news []events.Event) []events.Event {
	if f.outcome.State == store.Canceled {
		r.observe.canceled(r.observe.enqueue, Cancellation{f.claim.SubscriptionID, f.claim.EventID, f.claim.Tenant, f.outcome.Attempt.Error})
		return news
	}
	r.counts.outcome(f.outcome.State)
	r.observe.attemptEnded(f, res)
	if f.outcome.State == store.Dead {
		news = r.exhausted(news, f)
	}
	switch {
	case isGone(&f.outcome):
		news = r.disable(news, &f.claim.Subscription, reasonGone)
	case r.o.DisableAfter > 0 && res.After.FailingFor >= r.o.DisableAfter && res.After.Failures >= BreakerThreshold:
		news = r.disable(news, &f.claim.Subscription, fmt.Sprintf("nothing but failures for %v", r.o.DisableAfter))
	}
	return news
}

// isGone reports whether an outcome is that of a 410.
func isGone(o *store.Outcome) bool {
	return o.State == store.Dead && o.Attempt.Status == http.StatusGone
}

var errChanged = errors.New("dispatcher: the subscription has changed since")

// disable unsubscribes a subscription in the sender's name, unless it has been subscribed anew or pointed elsewhere since
// the attempt that speaks for it.
func (r *run) disable(news []events.Event, sub *store.Subscription, reason string) []events.Event {
	out, err := persist(r.rest, r, "disable", func(ctx context.Context) (store.Subscription, error) {
		return r.updateTelling(ctx, r.observe.enqueue, sub.ID, func(cur *store.Subscription) error {
			if cur.Status != store.Subscribed || cur.URL != sub.URL || !cur.SubscribedAt.Equal(sub.SubscribedAt) {
				return errChanged
			}
			cur.Status, cur.DisabledReason = store.Unsubscribed, reason
			return nil
		})
	})
	if err != nil {
		return news
	}
	r.log.Warn("outhook: subscription disabled", "subscription_id", sub.ID, "reason", reason)
	r.observe.disabled(out)
	return r.disabled(news, &out)
}

// giveBack releases a claim whose attempt did not take place.
func (r *run) giveBack(c *store.Claim) {
	r.over(c)
	persist(r.rest, r, "release", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, r.store.Release(ctx, c.Lease)
	})
}

// persist calls the store until it answers with anything but trouble, until ends, or Run gives up on the store.
func persist[T any](until context.Context, r *run, op string, call func(context.Context) (T, error)) (T, error) {
	var trouble retrier
	for {
		out, err := protect(func() (T, error) { return call(r.rest) })
		if err == nil || isAnswer(err) {
			return out, err
		}
		r.storeTrouble(op, err)
		if !trouble.wait(until) {
			return out, err
		}
	}
}

// isAnswer reports whether an error of the store's is one that trying again won't change.
func isAnswer(err error) bool {
	var invalid *events.InvalidError
	return errors.Is(err, store.ErrClosed) || errors.Is(err, store.ErrNotFound) || errors.Is(err, errChanged) || errors.As(err, &invalid)
}

// protect turns a panic of the store into an error.
func protect[T any](call func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("dispatcher: the store panicked: %v", p)
		}
	}()
	return call()
}

func (r *run) storeTrouble(op string, err error) {
	r.log.Error("outhook: the store is in trouble", "op", op, "error", err)
	r.observe.storeTrouble(op, err)
}

// retrier spaces out calls of a store that is in trouble.
type retrier struct{ delay time.Duration }

func (t *retrier) reset() { t.delay = 0 }

// wait waits, longer each time, and reports whether ctx goes on.
func (t *retrier) wait(ctx context.Context) bool {
	t.delay = min(max(2*t.delay, storeRetryFirst), storeRetryMax)
	timer := time.NewTimer(t.delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
