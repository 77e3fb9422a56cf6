package engine_test

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/store"
)

// limiterBy returns a limiter by what a function says of each subscription.
func limiterBy(limit func(store.Subscription) (rate float64, burst int)) engine.Limiter {
	return engine.NewLimiter(func(sub store.Subscription) (*engine.Policy, error) {
		rate, burst := limit(sub)
		return &engine.Policy{Rate: rate, Burst: burst, PerSubscription: engine.AllAtOnce}, nil
	}, slog.New(slog.DiscardHandler))
}

// limiterOf returns a limiter with the same limit for all.
func limiterOf(rate float64, burst int) engine.Limiter {
	return limiterBy(func(store.Subscription) (float64, int) { return rate, burst })
}

func TestLimiterWaitsForTheNextToken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit float64
		want  time.Duration // after the first attempt
	}{
		{"four a second", 4, 250 * time.Millisecond},
		{"one in ten seconds", 0.1, 10 * time.Second},
		{"very many a second", 1e6, time.Millisecond},
		{"almost never", 1e-300, time.Hour},
		{"the least there is", math.SmallestNonzeroFloat64, time.Hour},
		{"zero is none", 0, 0},
		{"negative is none", -1, 0},
		{"infinity is none", math.Inf(1), 0},
		{"no number is none", math.NaN(), 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			l, now := limiterOf(tt.limit, 0), time.Now()
			if got := l.Take("a", now); got != 0 {
				t.Errorf("%s: the first waits %v, want not at all", tt.name, got)
			}
			got := l.Take("a", now)
			if got < tt.want-time.Microsecond || got > tt.want+time.Microsecond {
				t.Errorf("%s: the second waits %v, want %v", tt.name, got, tt.want)
			}
			if d := l.Take("a", now.Add(got)); d != 0 && got < time.Hour {
				t.Errorf("%s: after that it waits %v, want not at all", tt.name, d)
			}
		})
	}
}

// TestLimiterBeginsWithOneToken wants a new bucket to stand as if it had been there all the time.
func TestLimiterBeginsWithOneToken(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration // since the limiter was made
		want  int           // at once
	}{{0, 1}, {500 * time.Millisecond, 1}, {time.Second, 2}, {2 * time.Second, 3}, {time.Hour, 5}} {
		synctest.Test(t, func(t *testing.T) {
			l, now := limiterOf(1, 5), time.Now().Add(tt.after)
			n := 0
			for l.Take("a", now) == 0 {
				n++
			}
			if n != tt.want {
				t.Errorf("after %v: %d at once, want %d", tt.after, n, tt.want)
			}
		})
	}
}

func TestLimiterForgetsIdleSubscriptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, now := limiterOf(10, 1), time.Now()
		most := 0
		for i := range 20_000 { // a second's worth is 1,000 subscriptions
			if d := l.Take(fmt.Sprint(i), now); d != 0 {
				t.Fatalf("subscription %d waits %v for its first token", i, d)
			}
			now = now.Add(time.Millisecond)
			most = max(most, l.Len())
		}
		if most > 2048 {
			t.Errorf("%d buckets are kept, want 2048 at most", most)
		}
		for range 5 { // a busy one is not forgotten
			for i := range 3000 {
				l.Take(fmt.Sprint("idle", i), now)
			}
			l.Take("busy", now)
			if d := l.Take("busy", now); d == 0 {
				t.Fatal("a busy subscription got another token")
			}
			now = now.Add(time.Second)
		}
	})
}

// TestLimiterFollowsAChangeOfTheLimit has the host mean something else: it holds at once when the
// subscription has changed, and soon when it has not.
func TestLimiterFollowsAChangeOfTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit, burst, calls := 1.0, 1, 0
		l := limiterBy(func(store.Subscription) (float64, int) {
			calls++
			return limit, burst
		})
		now := time.Now()
		a := &store.Subscription{ID: "a", UpdatedAt: now}
		l.TakeOf(a, now)
		for range 100 {
			l.TakeOf(a, now)
		}
		if calls != 1 {
			t.Errorf("%d calls for one subscription that stays as it is, want 1", calls)
		}
		limit = 100
		if d, _ := l.TakeOf(a, now); d != time.Second {
			t.Errorf("it waits %v by the limit that it had, want 1s", d)
		}
		a = &store.Subscription{ID: "a", UpdatedAt: now.Add(time.Millisecond)}
		if d, _ := l.TakeOf(a, now); d != 10*time.Millisecond {
			t.Errorf("once it has changed it waits %v, want 10ms", d)
		}
		burst = 3
		now = now.Add(10 * time.Second)
		l.TakeOf(a, now)
		now = now.Add(9 * time.Second)
		n := 0
		for d, _ := l.TakeOf(a, now); d == 0; d, _ = l.TakeOf(a, now) {
			n++
		}
		if n != 3 {
			t.Errorf("%d at once with a burst of 3, want 3", n)
		}
		if calls != 3 {
			t.Errorf("%d calls, want 3", calls)
		}
	})
}

// TestPolicyOfWhatHasChangedMeanwhile has a subscription change while the host is asked about it.
func TestPolicyOfWhatHasChangedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := limiterBy(func(sub store.Subscription) (float64, int) {
			if sub.Name == "was" {
				<-time.After(time.Second)
				return 0, 0
			}
			return 1, 1
		})
		start := time.Now()
		d, _ := l.TakeOf(&store.Subscription{ID: "a", Name: "was", UpdatedAt: start}, start)
		if d == 0 {
			t.Fatal("there was no answer, and an attempt")
		}
		<-time.After(2 * time.Second)
		is := &store.Subscription{ID: "a", Name: "is", UpdatedAt: start.Add(time.Second)}
		first, _ := l.TakeOf(is, time.Now())
		second, _ := l.TakeOf(is, time.Now())
		if first != 0 || second == 0 {
			t.Errorf("it waits %v and %v; want the second to wait by the policy of what it is now",
				first, second)
		}
	})
}

func TestPoliciesAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, now, most := limiterOf(0, 0), time.Now(), 0
		for i := range 20_000 { // in ten seconds there are 1,000 subscriptions
			l.Take(fmt.Sprint(i), now)
			now = now.Add(10 * time.Millisecond)
			most = max(most, l.Policies())
		}
		if most > 2048 {
			t.Errorf("%d policies are kept, want 2048 at most", most)
		}
	})
}

// TestLimitsThatTheStoreIsTold wants the store to be told of limits that are not those of all, with
// each answer, and once when that is over.
func TestLimitsThatTheStoreIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := engine.AllAtOnce
		l := engine.NewLimiter(func(store.Subscription) (*engine.Policy, error) {
			return &engine.Policy{PerSubscription: limit}, nil
		}, slog.New(slog.DiscardHandler))
		now := time.Now()
		for _, tt := range []struct {
			name        string
			after       time.Duration
			limit, want int
		}{
			{"that of all", 0, engine.AllAtOnce, 0},
			{"a lower one", 10 * time.Second, 2, 2},
			{"which is known", time.Second, 2, 0},
			{"which is still the same", 10 * time.Second, 2, 2},
			{"a higher one", 10 * time.Second, 32, 32},
			{"that of all again", 10 * time.Second, engine.AllAtOnce, engine.AllAtOnce},
			{"which stays", 10 * time.Second, engine.AllAtOnce, 0},
		} {
			now, limit = now.Add(tt.after), tt.limit
			_, tell := l.TakeOf(&store.Subscription{ID: "a"}, now)
			if tell != tt.want {
				t.Errorf("%s: the store is told %d, want %d", tt.name, tell, tt.want)
			}
		}
	})
}

func TestPolicyThatFailsPutsOff(t *testing.T) {
	for name, policy := range map[string]func(store.Subscription) (*engine.Policy, error){
		"panic": func(store.Subscription) (*engine.Policy, error) { panic("a bug") },
		"error": func(store.Subscription) (*engine.Policy, error) { return nil, errors.New("no") },
	} {
		synctest.Test(t, func(t *testing.T) {
			l := engine.NewLimiter(policy, slog.New(slog.DiscardHandler))
			if d := l.Take("a", time.Now()); d < time.Second {
				t.Errorf("%s: it waits %v, want some seconds", name, d)
			}
		})
	}
}

// A call that does not return, or takes its time, puts off its own subscription. Other calls go on,
// and their number is bounded.
func TestPolicyThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		var calls atomic.Int64
		l := limiterBy(func(sub store.Subscription) (float64, int) {
			calls.Add(1)
			switch {
			case strings.HasPrefix(sub.ID, "quick"):
			case sub.ID == "slow":
				<-time.After(70 * time.Millisecond)
			default:
				<-block
			}
			return 0, 0
		})
		asked := 0
		quick := func(within time.Duration) {
			t.Helper()
			asked++
			start := time.Now()
			d := l.Take(fmt.Sprint("quick", asked), start)
			if d != 0 || time.Since(start) > within {
				t.Fatalf("a quick one waits %v and took %v", d, time.Since(start))
			}
		}
		start := time.Now()
		if d := l.Take("blocked", start); d == 0 || d > time.Second {
			t.Errorf("one that blocks waits %v, want to be looked at again soon", d)
		}
		if d := time.Since(start); d > 5*time.Millisecond {
			t.Errorf("it held up the caller for %v", d)
		}
		quick(0)
		first := calls.Load()
		start = time.Now()
		for range 100 { // it is not called again, and costs no time
			if d := l.Take("blocked", time.Now()); d == 0 {
				t.Fatal("one that blocks was given an attempt")
			}
		}
		if calls.Load() != first || time.Since(start) != 0 {
			t.Errorf("%d further calls, which took %v; want none", calls.Load()-first, time.Since(start))
		}
		d := l.Take("slow", time.Now())
		<-time.After(d)
		if again := l.Take("slow", time.Now()); d == 0 || again == 0 {
			t.Errorf("a call of 70ms waits %v and %v, want both", d, again)
		}
		<-time.After(50 * time.Millisecond)
		if d := l.Take("slow", time.Now()); d != 0 {
			t.Errorf("with its answer there it waits %v", d)
		}
		start = time.Now()
		for i := range 1000 { // far more than may be called at once
			if d := l.Take(fmt.Sprint("blocked", i), time.Now()); d == 0 {
				t.Fatal("one that blocks was given an attempt")
			}
		}
		if n := l.Calls(); n > 64 || time.Since(start) > 64*5*time.Millisecond {
			t.Errorf("%d calls at once, which held up the caller for %v; want 64 at most", n,
				time.Since(start))
		}
		close(block)
		synctest.Wait()
		quick(0)
		if d := l.Take("blocked", time.Now()); d != 0 {
			t.Errorf("once it has returned it waits %v", d)
		}
	})
}
