package store_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// limited is an endpoint that takes so many requests in some time.
type limited interface {
	// take reports whether a request at a time is taken, and otherwise after how long one may be.
	take(at time.Duration) (ok bool, wait time.Duration)
}

// bucket has at most burst tokens, and gets one each interval.
type bucket struct {
	interval time.Duration
	burst    int
	full     time.Duration // when it is full again
}

func (b *bucket) take(at time.Duration) (bool, time.Duration) {
	b.full = max(b.full, at)
	if wait := b.full + b.interval - time.Duration(b.burst)*b.interval - at; wait > 0 {
		return false, wait
	}
	b.full += b.interval
	return true, 0
}

// fixed takes n requests in each window.
type fixed struct {
	n      int
	window time.Duration
	is     time.Duration // the window of the last request
	taken  int
}

func (f *fixed) take(at time.Duration) (bool, time.Duration) {
	if is := at / f.window; is != f.is {
		f.is, f.taken = is, 0
	}
	if f.taken == f.n {
		return false, (f.is+1)*f.window - at
	}
	f.taken++
	return true, 0
}

// until is limited by another until a time, and then not at all.
type until struct {
	limited
	end time.Duration
}

func (u until) take(at time.Duration) (bool, time.Duration) {
	if at >= u.end {
		return true, 0
	}
	return u.limited.take(at)
}

// paced is what a simulation came to.
type paced struct {
	took      time.Duration   // until the last delivery
	throttled int             // answers of 429
	delivered []time.Duration // when each success came
	waits     []time.Duration // how long each was on its way
}

// simulate delivers events that arrive at given times to a limited endpoint that answers after a
// latency, with nothing but what a Health allows: its limit, its hold and its pace.
func simulate(t *testing.T, e limited, retryAfter bool, latency time.Duration,
	arrivals []time.Duration) paced {
	t.Helper()
	var (
		start    = time.Unix(1_700_000_000, 0)
		req      = store.ClaimRequest{PerSubscription: 16, BreakerThreshold: 10}
		h        store.Health
		now      time.Duration
		last     = -time.Hour // when the last attempt started
		waiting  []time.Duration
		inFlight []struct{ ends, arrived time.Duration }
		out      paced
		left     = len(arrivals)
		next     = arrivals
	)
	for steps := 0; left > 0; steps++ {
		if steps > 100*len(arrivals)+10_000 {
			t.Fatalf("after %v %d are left, with %+v", now, left, h)
		}
		for len(next) > 0 && next[0] <= now {
			waiting, next = append(waiting, next[0]), next[1:]
		}
		free := max(last+h.Pace, h.HeldUntil.Sub(start))
		if h.HeldUntil.IsZero() {
			free = last + h.Pace
		}
		if len(waiting) > 0 && len(inFlight) < req.Limit(&h) && free <= now {
			inFlight = append(inFlight, struct{ ends, arrived time.Duration }{now + latency, waiting[0]})
			waiting, last = waiting[1:], now
			continue
		}
		// The next thing that happens: an answer, an arrival, or the end of a wait.
		at := time.Duration(1 << 62)
		if len(inFlight) > 0 {
			at = inFlight[0].ends
		}
		if len(next) > 0 {
			at = min(at, next[0])
		}
		if len(waiting) > 0 && free > now {
			at = min(at, free)
		}
		now = at
		for len(inFlight) > 0 && inFlight[0].ends <= now {
			f := inFlight[0]
			inFlight = inFlight[1:]
			o := store.Outcome{State: store.Delivered}
			o.Attempt = store.Attempt{At: start.Add(now - latency), Duration: latency, Status: 200}
			if ok, wait := e.take(now - latency/2); !ok {
				o.State, o.Effect, o.Attempt.Status = store.Pending, store.EffectThrottled, 429
				if retryAfter {
					o.ThrottleFor = (wait + time.Second - 1).Truncate(time.Second)
				}
				out.throttled++
				waiting = append([]time.Duration{f.arrived}, waiting...)
			} else {
				left--
				out.took = now
				out.delivered = append(out.delivered, now)
				out.waits = append(out.waits, now-f.arrived)
			}
			h = h.Next(&o, start.Add(now))
		}
	}
	return out
}

// TestThrottling holds the pace that a subscription finds against endpoints that take so many
// requests in some time.
func TestThrottling(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name     string
		endpoint func() limited
		ideal    time.Duration // for each event
		events   int
	}{
		{"one a second", func() limited { return &bucket{interval: s, burst: 1} }, s, 2000},
		{"one in each second", func() limited { return &fixed{n: 1, window: s} }, s, 2000},
		{"one a second, and five at once", func() limited {
			return &bucket{interval: s, burst: 5}
		}, s, 2000},
		{"ten in ten seconds", func() limited { return &fixed{n: 10, window: 10 * s} }, s, 2000},
		{"50 a second", func() limited { return &bucket{interval: s / 50, burst: 1} }, s / 50, 20_000},
		{"50 in each second", func() limited { return &fixed{n: 50, window: s} }, s / 50, 20_000},
		{"50 a second, and 50 at once", func() limited {
			return &bucket{interval: s / 50, burst: 50}
		}, s / 50, 20_000},
		{"one a minute", func() limited { return &bucket{interval: 60 * s, burst: 1} }, 60 * s, 1000},
	}
	for _, tt := range tests {
		for _, retryAfter := range []bool{true, false} {
			for _, latency := range []time.Duration{5 * time.Millisecond, 100 * time.Millisecond} {
				most, share := 1.15, 0.05
				switch {
				case !retryAfter:
					most, share = 1.5, 0.15
				case tt.ideal < s/10:
					most = 1.25 // a hold of a second is what 50 answers take
				}
				got := simulate(t, tt.endpoint(), retryAfter, latency, make([]time.Duration, tt.events))
				ideal := time.Duration(tt.events) * tt.ideal
				ratio := float64(got.took) / float64(ideal)
				throttled := float64(got.throttled) / float64(tt.events+got.throttled)
				t.Logf("%s, Retry-After %v, %v: %.3f of the ideal time, %.1f %% throttled",
					tt.name, retryAfter, latency, ratio, 100*throttled)
				if ratio > most || throttled > share {
					t.Errorf(
						"%s, Retry-After %v, %v: %.3f of the ideal time and %.1f %% throttled; want %v and %v %%",
						tt.name, retryAfter, latency, ratio, 100*throttled, most, 100*share)
				}
			}
		}
	}
}

// TestThrottlingAtHalfTheRate has events arrive at random at half the rate that the endpoint takes.
func TestThrottlingAtHalfTheRate(t *testing.T) {
	for seed := range uint64(10) {
		for _, retryAfter := range []bool{true, false} {
			rnd := rand.New(rand.NewPCG(seed, 0))
			var arrivals []time.Duration
			for at := time.Duration(0); len(arrivals) < 3000; {
				at += time.Duration(rnd.ExpFloat64() * 2 * float64(time.Second))
				arrivals = append(arrivals, at)
			}
			got := simulate(t, &bucket{interval: time.Second, burst: 1}, retryAfter, 50*time.Millisecond,
				arrivals)
			late := 0
			for _, w := range got.waits {
				if w > 10*time.Second {
					late++
				}
			}
			t.Logf("seed %d, Retry-After %v: %d later than 10 s, %d throttled", seed, retryAfter, late,
				got.throttled)
			if late > len(arrivals)/100 {
				t.Errorf("seed %d, Retry-After %v: %d of %d were later than 10 s", seed, retryAfter, late,
					len(arrivals))
			}
		}
	}
}

// TestThrottlingEnds has a limit go away: within minutes the endpoint gets all that it takes.
func TestThrottlingEnds(t *testing.T) {
	const end = 10 * time.Minute
	for _, retryAfter := range []bool{true, false} {
		e := until{&bucket{interval: time.Second, burst: 1}, end}
		got := simulate(t, e, retryAfter, 50*time.Millisecond, make([]time.Duration, 30_000))
		n := 0
		for _, at := range got.delivered {
			if at > end+5*time.Minute && at < end+6*time.Minute {
				n++
			}
		}
		t.Logf("Retry-After %v: all after %v", retryAfter, got.took)
		if got.took > end+5*time.Minute {
			t.Errorf(
				"Retry-After %v: all were delivered after %v, want full speed within five minutes of %v",
				retryAfter, got.took, end)
		}
	}
}
