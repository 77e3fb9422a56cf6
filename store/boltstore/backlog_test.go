package boltstore_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// TestBacklogInOrder has much more pending than memory may hold, and restarts.
func TestBacklogInOrder(t *testing.T) {
	for _, budget := range []int{1, 50, 2000} {
		t.Run(fmt.Sprintf("budget %d", budget), func(t *testing.T) {
			o := boltstore.WithBudget(budget)
			s := create(t, o)
			subscribe(t, s)
			want := publish(t, s, "event", 1500)
			var got []string
			for i := 0; len(got) < len(want); i++ {
				claims := claim(t, s, 70)
				if len(claims) == 0 {
					t.Fatalf("%d of %d were claimed", len(got), len(want))
				}
				for _, c := range claims {
					got = append(got, c.EventID)
				}
				finish(t, s, claims, store.Delivered, 0)
				if i%5 == 4 {
					verify(t, s)
					s = restart(t, s, o)
					verify(t, s)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("claimed %v", got)
			}
			if n := pending(t, s); n != 0 {
				t.Errorf("pending: got %d, want none", n)
			}
			publish(t, s, "last", 3)
			verify(t, s)
		})
	}
}

// TestBacklogAtRandom does everything to a large backlog of a few subscriptions, restarts included, and looks after each
// step whether memory and the file agree; in the end, everything has been delivered.
func TestBacklogAtRandom(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				b := backlog{t: t, rand: r, o: boltstore.WithBudget(10 + r.IntN(800)), delivered: make(map[string]int)}
				b.s = create(t, b.o)
				for range 3 {
					b.subs = append(b.subs, subscribe(t, b.s))
				}
				for i := range 40 {
					b.step(i)
					if i%3 > 0 { // memory keeps what it had to read for this
						pending(t, b.s)
					}
					verify(t, b.s)
					if t.Failed() {
						t.Fatalf("at step %d: %s", i, b.last)
					}
				}
				b.end()
			})
		})
	}
}

// backlog is a store with much to do.
type backlog struct {
	t    *testing.T
	rand *rand.Rand
	o    *boltstore.Options
	s    *boltstore.Store
	subs []string
	last string

	held      []store.Claim
	published int
	delivered map[string]int // how often
}

func (b *backlog) step(i int) {
	switch b.rand.IntN(10) {
	case 0, 1:
		b.last = "publish"
		n := 1 + b.rand.IntN(250)
		publish(b.t, b.s, fmt.Sprintf("event-%d", i), n)
		b.published += n
	case 2, 3:
		b.last = "claim"
		b.held = append(b.held, claim(b.t, b.s, b.rand.IntN(300))...)
	case 4:
		b.last = "finish"
		b.finish(b.some())
	case 5:
		b.last = "release"
		for _, c := range b.some() {
			if err := b.s.Release(b.t.Context(), c.Lease); err != nil {
				b.t.Error(err)
			}
		}
	case 6:
		b.last = "wait"
		b.pass(time.Duration(b.rand.IntN(20)) * time.Minute)
	case 7:
		b.last = "unsubscribe and requeue"
		b.bounce(b.subs[b.rand.IntN(len(b.subs))])
	case 8:
		b.last = "prune"
		b.prune(b.rand.IntN(4))
	case 9:
		b.last = "restart"
		b.s, b.held = restart(b.t, b.s, b.o), nil
	}
}

// some takes some of the held claims.
func (b *backlog) some() []store.Claim {
	b.rand.Shuffle(len(b.held), func(i, j int) { b.held[i], b.held[j] = b.held[j], b.held[i] })
	n := b.rand.IntN(len(b.held) + 1)
	some := b.held[:n]
	b.held = slices.Clone(b.held[n:])
	return some
}

// finish ends claims in one way or another. A token may be worth nothing any more.
func (b *backlog) finish(claims []store.Claim) {
	var outcomes []store.Outcome
	for _, c := range claims {
		o := store.Outcome{Lease: c.Lease, State: store.Delivered, Attempt: store.Attempt{Status: 200}}
		if b.rand.IntN(3) == 0 {
			o.State, o.RetryIn = store.Pending, time.Duration(b.rand.IntN(3600))*time.Second
		}
		outcomes = append(outcomes, o)
	}
	results, err := b.s.Finish(b.t.Context(), outcomes...)
	if err != nil {
		b.t.Error(err)
	}
	for i, r := range results {
		if !r.Ignored && outcomes[i].State == store.Delivered {
			b.delivered[claims[i].SubscriptionID+claims[i].EventID]++
		}
	}
}

func (b *backlog) pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// bounce cancels what a subscription has pending, and makes it pending again.
func (b *backlog) bounce(id string) {
	b.status(id, store.Unsubscribed)
	verify(b.t, b.s)
	if b.rand.IntN(2) == 0 {
		b.prune(b.rand.IntN(3))
	}
	b.status(id, store.Subscribed)
	q := store.DeliveryQuery{SubscriptionID: id, States: []store.State{store.Canceled}, Limit: 1 + b.rand.IntN(200)}
	for next := true; next; next = q.Cursor != "" {
		step, err := b.s.Requeue(b.t.Context(), q)
		if err != nil {
			b.t.Fatal(err)
		}
		q.Cursor = step.Next
	}
}

func (b *backlog) status(id string, status store.Status) {
	_, err := b.s.UpdateSubscription(b.t.Context(), id, func(s *store.Subscription) error {
		s.Status = status
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *backlog) prune(steps int) {
	for range steps {
		if _, err := b.s.Prune(b.t.Context(), store.Retention{}); err != nil {
			b.t.Error(err)
		}
	}
}

// end delivers everything.
func (b *backlog) end() {
	b.pass(2 * time.Hour)
	for _, c := range drain(b.t, b.s) {
		b.delivered[c.SubscriptionID+c.EventID]++
	}
	if got, want := len(b.delivered), b.published*len(b.subs); got != want {
		b.t.Errorf("delivered: got %d, want %d", got, want)
	}
	for d, n := range b.delivered {
		if n != 1 {
			b.t.Errorf("%s was delivered %d times", d, n)
		}
	}
	b.prune(3)
	verify(b.t, b.s)
}

// TestUnsubscribeTakesNoLonger unsubscribes and deletes with little and much pending, and compares what is written.
func TestUnsubscribeTakesNoLonger(t *testing.T) {
	written := func(n int) (unsubscribing, deleting int64) {
		s := create(t, boltstore.WithBudget(1000))
		id := subscribe(t, s)
		publish(t, s, "event", n)
		pages := func(f func() error) int64 {
			before := s.DB().Stats()
			if err := f(); err != nil {
				t.Fatal(err)
			}
			after := s.DB().Stats()
			diff := after.Sub(&before)
			return diff.TxStats.GetWrite()
		}
		unsubscribing = pages(func() error {
			_, err := s.UpdateSubscription(t.Context(), id, func(s *store.Subscription) error {
				s.Status = store.Unsubscribed
				return nil
			})
			return err
		})
		if got := pending(t, s); got != 0 {
			t.Errorf("pending after it: got %d, want none", got)
		}
		return unsubscribing, pages(func() error { return s.DeleteSubscription(t.Context(), id) })
	}
	u1, d1 := written(100)
	u2, d2 := written(20_000)
	if u2 > u1+10 || d2 > d1+10 {
		t.Errorf("pages written with 100 pending: %d and %d, with 20,000: %d and %d", u1, d1, u2, d2)
	}
}

// TestMemoryIsBounded has much pending for many, and looks at what memory has of it, also after a restart.
func TestMemoryIsBounded(t *testing.T) {
	const budget = 500
	o := boltstore.WithBudget(budget)
	s := create(t, o)
	for range 20 {
		subscribe(t, s)
	}
	for range 30 {
		publish(t, s, fmt.Sprint("event-", rand.Uint64()), 100)
	}
	for range 2 {
		if got, most := s.Fresh(), 10*budget; got > most {
			t.Errorf("memory has %d fresh deliveries of 60,000, want at most %d", got, most)
		}
		if got, want := pending(t, s), 60_000; got != want {
			t.Errorf("pending: got %d, want %d", got, want)
		}
		verify(t, s)
		s = restart(t, s, o)
	}
}
