package engine_test

import (
	"fmt"
	"log/slog"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/store"
)

// limiterOf returns a limiter with the same limit for all.
func limiterOf(limit rate.Limit, burst int) engine.Limiter {
	return engine.NewLimiter(func(store.Subscription) (rate.Limit, int) {
		return limit, burst
	}, slog.New(slog.DiscardHandler))
}

func TestLimiterWaitsForTheNextToken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		limit rate.Limit
		want  time.Duration // after the first attempt
	}{
		{"four a second", 4, 250 * time.Millisecond},
		{"one in ten seconds", 0.1, 10 * time.Second},
		{"very many a second", 1e6, time.Millisecond},
		{"almost never", 1e-300, time.Hour},
		{"the least there is", math.SmallestNonzeroFloat64, time.Hour},
		{"zero is none", 0, 0},
		{"negative is none", -1, 0},
		{"infinity is none", rate.Inf, 0},
		{"no number is none", rate.Limit(math.NaN()), 0},
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

func TestLimiterFollowsAChangeOfTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit, burst := rate.Limit(1), 1
		l := engine.NewLimiter(func(store.Subscription) (rate.Limit, int) {
			return limit, burst
		}, slog.New(slog.DiscardHandler))
		now := time.Now()
		l.Take("a", now)
		limit = 100
		if d := l.Take("a", now); d != 10*time.Millisecond {
			t.Errorf("with a higher limit it waits %v, want 10ms", d)
		}
		burst = 3
		l.Take("a", now)
		now = now.Add(time.Minute)
		n := 0
		for l.Take("a", now) == 0 {
			n++
		}
		if n != 3 {
			t.Errorf("%d at once with a burst of 3, want 3", n)
		}
	})
}

func TestLimiterThatPanicsPutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := engine.NewLimiter(func(store.Subscription) (rate.Limit, int) {
			panic("a bug")
		}, slog.New(slog.DiscardHandler))
		if d := l.Take("a", time.Now()); d < time.Second {
			t.Errorf("it waits %v, want some seconds", d)
		}
	})
}

// A call that does not return, or takes its time, puts off its own subscription. Other calls go on,
// and their number is bounded.
func TestLimiterThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		var calls atomic.Int64
		l := engine.NewLimiter(func(sub store.Subscription) (rate.Limit, int) {
			calls.Add(1)
			switch sub.ID {
			case "quick":
			case "slow":
				<-time.After(70 * time.Millisecond)
			default:
				<-block
			}
			return rate.Inf, 0
		}, slog.New(slog.DiscardHandler))
		quick := func(within time.Duration) {
			t.Helper()
			start := time.Now()
			if d := l.Take("quick", start); d != 0 || time.Since(start) > within {
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
