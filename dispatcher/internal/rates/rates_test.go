package rates_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/rates"
)

// used counts how many calls a rate allows now.
func used(l *rates.Limiter, all ...rates.Rate) (n int) {
	for refused := -1; refused < 0; n++ {
		refused, _ = l.Take(all...)
	}
	return n - 1
}

func TestBurstAndRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := rates.New()
		rate := rates.Rate{Key: rates.Key{Of: "a"}, PerMinute: 6, Burst: 3}
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 3}, {9 * time.Second, 0}, {time.Second, 1}, {20 * time.Second, 2}, {time.Hour, 3}} {
			time.Sleep(step.after)
			if got := used(l, rate); got != step.want {
				t.Errorf("after %v: got %d calls, want %d", step.after, got, step.want)
			}
		}
		if _, wait := l.Take(rate); wait != 10*time.Second {
			t.Errorf("wait: got %v, want 10s", wait)
		}
		time.Sleep(10 * time.Second)
		if refused, _ := l.Take(rate); refused >= 0 {
			t.Error("a call after the wait it was told of: refused")
		}
	})
}

// TestRefusedUsesNothing takes two rates at once: the one that has some left keeps it.
func TestRefusedUsesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := rates.New()
		few := rates.Rate{Key: rates.Key{Of: "few"}, PerMinute: 1, Burst: 1}
		many := rates.Rate{Key: rates.Key{Of: "many"}, PerMinute: 60, Burst: 10}
		if got := used(l, many, few); got != 1 {
			t.Errorf("calls of both: got %d, want 1", got)
		}
		if refused, wait := l.Take(many, few); refused != 1 || wait != time.Minute {
			t.Errorf("refused: got %d, %v, want 1, 1m", refused, wait)
		}
		if got := used(l, many); got != 9 {
			t.Errorf("what is left of the other: got %d, want 9", got)
		}
		none := rates.Rate{Key: few.Key, PerMinute: -1}
		if refused, _ := l.Take(none); refused >= 0 {
			t.Error("a rate without a limit: refused")
		}
	})
}

func TestForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := rates.New()
		most := 0
		for i := range 10_000 {
			l.Take(rates.Rate{Key: rates.Key{Of: string(rune(i))}, PerMinute: 60, Burst: 1})
			most = max(most, l.Len())
			time.Sleep(time.Second)
		}
		if most > 1100 {
			t.Errorf("remembered at once: got %d, want about a thousand at most", most)
		}
	})
}
