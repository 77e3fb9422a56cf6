package engine_test

import (
	"fmt"
	"log/slog"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"github.com/outhook/outhook/dispatcher/internal/engine"
	"github.com/outhook/outhook/store"
)

// limiterOf returns a limiter with the same limit for all.
func limiterOf(limit rate.Limit, burst int) engine.Limiter {
	return engine.NewLimiter(func(store.Subscription) (rate.Limit, int) { return limit, burst }, slog.New(slog.DiscardHandler))
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
		l := engine.NewLimiter(func(store.Subscription) (rate.Limit, int) { return limit, burst }, slog.New(slog.DiscardHandler))
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
	l := engine.NewLimiter(func(store.Subscription) (rate.Limit, int) { panic("a bug") }, slog.New(slog.DiscardHandler))
	if d := l.Take("a", time.Now()); d < time.Second {
		t.Errorf("it waits %v, want some seconds", d)
	}
}
