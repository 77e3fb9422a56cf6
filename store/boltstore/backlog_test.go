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

// TestBacklogAtRandom does everything to a large backlog of a few subscriptions, restarts included,
// and looks after each step whether memory and the file agree; in the end, everything has been
// delivered.
func TestBacklogAtRandom(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				b := Backlog{T: t, Rand: r, O: boltstore.WithBudget(10 + r.IntN(800)),
					Delivered: make(map[string]int)}
				b.S = create(t, b.O)
				for range 3 {
					b.Subs = append(b.Subs, subscribe(t, b.S))
				}
				for i := range 40 {
					b.Step(i)
					if i%3 > 0 { // memory keeps what it had to read for this
						pending(t, b.S)
					}
					verify(t, b.S)
					if t.Failed() {
						t.Fatalf("at step %d: %s", i, b.Last)
					}
				}
				b.End()
			})
		})
	}
}

// Backlog is a store with much to do.
type Backlog struct {
	T    *testing.T
	Rand *rand.Rand
	O    *boltstore.Options
	S    *boltstore.Store
	Subs []string
	Last string

	Held      []store.Claim
	Published int
	Delivered map[string]int // how often
}

func (b *Backlog) Step(i int) {
	switch b.Rand.IntN(10) {
	case 0, 1:
		b.Last = "publish"
		n := 1 + b.Rand.IntN(250)
		publish(b.T, b.S, fmt.Sprintf("event-%d", i), n)
		b.Published += n
	case 2, 3:
		b.Last = "claim"
		b.Held = append(b.Held, claim(b.T, b.S, b.Rand.IntN(300))...)
	case 4:
		b.Last = "finish"
		b.Finish(b.Some())
	case 5:
		b.Last = "release"
		for _, c := range b.Some() {
			if err := b.S.Release(b.T.Context(), c.Lease); err != nil {
				b.T.Error(err)
			}
		}
	case 6:
		b.Last = "wait"
		b.Pass(time.Duration(b.Rand.IntN(20)) * time.Minute)
	case 7:
		b.Last = "unsubscribe and requeue"
		b.Bounce(b.Subs[b.Rand.IntN(len(b.Subs))])
	case 8:
		b.Last = "prune"
		b.Prune(b.Rand.IntN(4))
	case 9:
		b.Last = "restart"
		b.S, b.Held = restart(b.T, b.S, b.O), nil
	}
}

// Some takes some of the held claims.
func (b *Backlog) Some() []store.Claim {
	b.Rand.Shuffle(len(b.Held), func(i, j int) { b.Held[i], b.Held[j] = b.Held[j], b.Held[i] })
	n := b.Rand.IntN(len(b.Held) + 1)
	some := b.Held[:n]
	b.Held = slices.Clone(b.Held[n:])
	return some
}

// Finish ends claims in one way or another. A token may be worth nothing any more.
func (b *Backlog) Finish(claims []store.Claim) {
	var outcomes []store.Outcome
	for _, c := range claims {
		o := store.Outcome{Lease: c.Lease, State: store.Delivered,
			Attempt: store.Attempt{Status: 200}}
		if b.Rand.IntN(3) == 0 {
			o.State, o.RetryIn = store.Pending, time.Duration(b.Rand.IntN(3600))*time.Second
		}
		outcomes = append(outcomes, o)
	}
	results, err := b.S.Finish(b.T.Context(), outcomes...)
	if err != nil {
		b.T.Error(err)
	}
	for i, r := range results {
		if !r.Ignored && outcomes[i].State == store.Delivered {
			b.Delivered[claims[i].SubscriptionID+claims[i].EventID]++
		}
	}
}

func (b *Backlog) Pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// Bounce cancels what a subscription has pending, and makes it pending again.
func (b *Backlog) Bounce(id string) {
	b.Status(id, store.Unsubscribed)
	verify(b.T, b.S)
	if b.Rand.IntN(2) == 0 {
		b.Prune(b.Rand.IntN(3))
	}
	b.Status(id, store.Subscribed)
	q := store.DeliveryQuery{SubscriptionID: id, States: []store.State{store.Canceled}, Limit: 1 +
		b.Rand.IntN(200)}
	for next := true; next; next = q.Cursor != "" {
		step, err := b.S.Requeue(b.T.Context(), q)
		if err != nil {
			b.T.Fatal(err)
		}
		q.Cursor = step.Next
	}
}

func (b *Backlog) Status(id string, status store.Status) {
	_, err := b.S.UpdateSubscription(b.T.Context(), id, func(s *store.Subscription) error {
		s.Status = status
		return nil
	})
	if err != nil {
		b.T.Fatal(err)
	}
}

func (b *Backlog) Prune(steps int) {
	for range steps {
		if _, err := b.S.Prune(b.T.Context(), store.Retention{}); err != nil {
			b.T.Error(err)
		}
	}
}

// End delivers everything.
func (b *Backlog) End() {
	b.Pass(2 * time.Hour)
	for _, c := range drain(b.T, b.S) {
		b.Delivered[c.SubscriptionID+c.EventID]++
	}
	if got, want := len(b.Delivered), b.Published*len(b.Subs); got != want {
		b.T.Errorf("delivered: got %d, want %d", got, want)
	}
	for d, n := range b.Delivered {
		if n != 1 {
			b.T.Errorf("%s was delivered %d times", d, n)
		}
	}
	b.Prune(3)
	verify(b.T, b.S)
}

// TestUnsubscribeTakesNoLonger unsubscribes and deletes with little and much pending, and compares
// what is written.
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
		t.Errorf("pages written with 100 pending: %d and %d, with 20,000: %d and %d", u1, d1, u2,
			d2)
	}
}

// TestMemoryIsBounded has much pending for many, and looks at what memory has of it, also after a
// restart.
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
