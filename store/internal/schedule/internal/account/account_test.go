package account_test

import (
	"math"
	"testing"

	"github.com/outhook/outhook/store/internal/schedule/internal/account"
)

const halfLife = 30e9

// TestClock holds that what was added a half-life ago counts half, over weeks, and that no account
// gets too large for a float64.
func TestClock(t *testing.T) {
	var c account.Clock
	if _, ok := c.Rescale(math.MaxInt64 / 2); ok {
		t.Error("a clock that nothing was added by rescales")
	}
	now, was := int64(1e18), 0.0
	scaled := 0
	for range 5000 {
		factor, ok := c.Rescale(now)
		if ok {
			scaled++
			was *= factor
		} else if factor != 1 {
			t.Fatalf("the factor is %v without rescaling", factor)
		}
		worth := c.Worth(1000, now)
		if math.IsInf(worth, 0) || worth < 1000 {
			t.Fatalf("after %d half-lives a microsecond is worth %v", (now-1e18)/halfLife, worth)
		}
		if ratio := was / worth; was != 0 && math.Abs(ratio-0.5) > 1e-9 {
			t.Fatalf("what was added a half-life ago counts %v of what is added now", ratio)
		}
		was = worth
		now += halfLife
	}
	if scaled < 5 {
		t.Errorf("rescaled %d times in 5000 half-lives", scaled)
	}
}
