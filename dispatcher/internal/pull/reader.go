package pull

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/store"
)

const (
	// MaxItems is how many deliveries an answer has at most, and DefaultItems if nothing is said.
	MaxItems     = 100
	DefaultItems = 20

	// MaxWait is how long a poll waits for something to come.
	MaxWait = 20 * time.Second

	// maxBytes is what the bodies of an answer have together, unless the first is larger.
	maxBytes = 4 << 20

	// look is how often a poll that waits looks by itself: what another process has published, or
	// a transaction of the host's, wakes nobody here.
	look = time.Second

	// maxPage is how many deliveries are read at once.
	maxPage = 1000

	// maxSearch is how long a reading goes on past what can't be read now.
	maxSearch = 10 * time.Second

	// share is how many times as long as a reading has taken, at least, a poll that waits leaves
	// the store alone: much may be pending that can't be read yet.
	share = 10
)

// Item is a delivery in an answer, as an attempt would send it.
type Item struct {
	EventID, EventType string
	Time               time.Time // of the event
	Attempt            int
	Header             http.Header
	Body               []byte
}

// Batch is an answer.
type Batch struct {
	Items  []Item
	Cursor string
	More   bool // there is more than that
}

// Reader reads deliveries of subscriptions without a URL. It is safe for concurrent use.
type Reader struct {
	store  store.Store
	sender *send.Sender
	policy PolicyFunc
}

// PolicyFunc returns how the deliveries of a subscription are sent.
type PolicyFunc func(store.Subscription) (*send.Policy, error)

// New returns a Reader. It asks policy once for each reading.
func New(s store.Store, sender *send.Sender, policy PolicyFunc) *Reader {
	return &Reader{s, sender, policy}
}

// Recorded is a delivery that was read, and what the store made of that.
type Recorded struct {
	Claim   *store.Claim
	Outcome store.Outcome
	Result  store.Result
}

// Acknowledge records what a cursor names as delivered. What has ended since, or was redelivered,
// is left alone.
func (r *Reader) Acknowledge(
	ctx context.Context, sub *store.Subscription, cursor string,
) ([]Recorded, error) {
	marks, err := parse(cursor)
	if err != nil || len(marks) == 0 {
		return nil, err
	}
	var named []store.Delivery
	// What was published before these may be pending too, and be any amount of it.
	err = r.pending(ctx, sub, MaxItems, func(d *store.Delivery) bool {
		if m := markOf(d); marks[m] {
			named = append(named, *d)
			delete(marks, m)
		}
		return len(marks) > 0
	})
	if err != nil || len(named) == 0 {
		return nil, err
	}
	outcomes := make([]store.Outcome, len(named))
	now := time.Now()
	for i := range named {
		outcomes[i] = store.Outcome{
			Lease: store.Lease{SubscriptionID: sub.ID, EventID: named[i].EventID},
			Attempt: store.Attempt{
				Number: named[i].Attempts + 1, At: now, Status: http.StatusOK,
			},
			State: store.Delivered,
		}
		// A poll makes no request, and decides nothing of what later ones send.
		if named[i].Attempts == 0 {
			outcomes[i].BodyState = store.BodyUnsent
		}
	}
	results, err := r.store.Finish(ctx, outcomes...)
	if err != nil {
		return nil, err
	}
	var done []Recorded
	for i := range results {
		if !results[i].Ignored {
			done = append(done, Recorded{claimOf(sub, &named[i]), outcomes[i], results[i]})
		}
	}
	return done, nil
}

// claimOf returns a delivery as if it had been claimed, without what is of its event alone.
func claimOf(sub *store.Subscription, d *store.Delivery) *store.Claim {
	return &store.Claim{
		Lease:        store.Lease{SubscriptionID: sub.ID, EventID: d.EventID},
		Subscription: sub,
		Health:       new(store.Health),
		EventType:    d.EventType,
		Tenant:       d.Tenant,
		Key:          d.Key,
		EnqueuedAt:   d.CreatedAt,
		Attempt:      d.Attempts + 1,
		BodyState:    store.BodyUnsent, // each poll reads by the settings of its time
	}
}

// pending calls visit for what is pending of a subscription, oldest first, until it returns false
// or the context ends. The first page has limit deliveries; later ones are larger, as a search that
// goes on is a long one.
func (r *Reader) pending(
	ctx context.Context, sub *store.Subscription, limit int, visit func(*store.Delivery) bool,
) error {
	q := store.DeliveryQuery{
		Tenant: sub.Tenant, SubscriptionID: sub.ID, States: []store.State{store.Pending},
		Limit: limit, Last: true,
	}
	for {
		page, err := r.store.Deliveries(ctx, q)
		if err != nil {
			return err
		}
		for i := len(page.Items) - 1; i >= 0; i-- {
			if !visit(&page.Items[i]) {
				return nil
			}
		}
		if q.Cursor = page.Previous; q.Cursor == "" {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		q.Limit = min(2*q.Limit, maxPage)
	}
}

// Read returns the oldest that is pending, at most so many, each as an attempt would send it. One
// that a hook of the host's fails for, or that is not to be sent yet, is left out, with all that is
// behind it in its key; the error is returned if there is nothing else. It hides none of the
// others, however many there are, unless the search takes longer than maxSearch.
func (r *Reader) Read(
	ctx context.Context, sub *store.Subscription, most int,
) (b Batch, err error) {
	var marks []mark
	var failed error
	policy, err := r.policy(*sub)
	if err != nil {
		return b, err
	}
	size, behind := 0, make(map[string]bool) // keys of what was left out
	end := time.Now().Add(maxSearch)
	leave := func(d *store.Delivery) bool {
		if d.Key != "" {
			behind[d.Key] = true
		}
		return ctx.Err() == nil && time.Now().Before(end)
	}
	err = r.pending(ctx, sub, most+1, func(d *store.Delivery) bool {
		switch {
		case behind[d.Key]:
			return true
		case isLater(d, time.Now()):
			return leave(d)
		}
		if b.More = len(b.Items) == most; b.More {
			return false
		}
		item, ok, err := r.item(ctx, sub, policy, d)
		if err != nil && failed == nil && err != errLater {
			failed = err
		}
		switch {
		case err != nil:
			return leave(d)
		case !ok:
			return true
		}
		if size += len(item.Body); size > maxBytes && len(b.Items) > 0 {
			b.More = true
			return false
		}
		b.Items, marks = append(b.Items, item), append(marks, markOf(d))
		return true
	})
	if err == nil && len(b.Items) == 0 {
		err = failed
	}
	b.Cursor = format(marks)
	return b, err
}

// isLater reports whether a delivery is known, without its event, not to be sent yet. Its Wait does
// not say so: of a subscription without a URL everything waits for a poll. What was never attempted
// is due as it is published, or at the NotBefore of its event. What was attempted, at a URL that is
// gone by now, may be due at a retry, for which a poll does not wait.
func isLater(d *store.Delivery, now time.Time) bool {
	// CreatedAt is by the clock of the store, which may be ahead of this one.
	return d.Attempts == 0 && d.DueAt.After(d.CreatedAt) && d.DueAt.After(now)
}

// errLater says that an event is not to be sent yet.
var errLater = errors.New("pull: the event is not to be sent yet")

// item composes one delivery; ok is false if it has ended meanwhile.
func (r *Reader) item(
	ctx context.Context, sub *store.Subscription, p *send.Policy, d *store.Delivery,
) (it Item, ok bool, err error) {
	e, err := r.store.Event(ctx, d.Tenant, d.EventID)
	if errors.Is(err, store.ErrNotFound) || err == nil && e.Erased() {
		return it, false, nil
	}
	if err != nil {
		return it, false, err
	}
	switch now := time.Now(); {
	case !e.ExpiresAt.IsZero() && !e.ExpiresAt.After(now): // since the page was read
		return it, false, nil
	case e.NotBefore.After(now):
		return it, false, errLater
	}
	c := claimOf(sub, d)
	c.EventTime, c.Body, c.Trace = e.Time, e.Body, e.Trace
	c.Tags, c.NotBefore, c.ExpiresAt = e.Tags, e.NotBefore, e.ExpiresAt
	composed, wrong := r.sender.Compose(ctx, c, p, e.Trace, time.Now())
	if wrong != "" {
		return it, false, fmt.Errorf("dispatcher: poll: event %s could not be composed: %s",
			d.EventID, wrong)
	}
	return Item{
		EventID: d.EventID, EventType: d.EventType, Time: e.Time, Attempt: c.Attempt,
		Header: composed.Header, Body: composed.Body,
	}, true, nil
}

// Wait reads until there is something, or the time is over. wake has a value when something may
// have come. The subscription is read each time: from a pause on, say, it gives nothing.
func (r *Reader) Wait(
	ctx context.Context, id string, most int, wait time.Duration, wake <-chan struct{},
) (Batch, error) {
	end := time.Now().Add(wait)
	for {
		start := time.Now()
		b, err := r.readNow(ctx, id, most)
		left := time.Until(end)
		if err != nil || len(b.Items) > 0 || left <= 0 {
			return b, err
		}
		timer := time.NewTimer(min(left, max(look, share*time.Since(start))))
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-wake:
		case <-timer.C:
		}
		timer.Stop()
		if err != nil {
			return Batch{}, err
		}
	}
}

// readNow is Read of a subscription as it is now, if it is one to be read.
func (r *Reader) readNow(ctx context.Context, id string, most int) (Batch, error) {
	sub, err := r.store.Subscription(ctx, id)
	switch {
	case err != nil:
		return Batch{}, err
	case sub.SealedWith != "":
		return Batch{}, send.SealedError(&sub)
	case sub.Withheld() != store.WaitPoll:
		return Batch{}, nil
	}
	return r.Read(ctx, &sub, most)
}
