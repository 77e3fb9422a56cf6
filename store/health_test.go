package store_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

func TestHealthNext(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	in := func(d time.Duration) time.Time { return now.Add(d) }
	const second, minute, hour, day = time.Second, time.Minute, time.Hour, 24 * time.Hour
	policy := store.ProbePolicy{Threshold: 3, First: 5 * second, Max: 5 * minute, Jitter: 1}
	failed := store.Outcome{State: store.Pending, Probe: policy}
	of := func(e store.Effect) store.Outcome {
		return store.Outcome{State: store.Pending, Effect: e, Probe: policy}
	}
	throttled := func(d time.Duration) store.Outcome {
		o := of(store.EffectThrottled)
		o.ThrottleFor = d
		return o
	}
	took := func(o store.Outcome, status int, d time.Duration) store.Outcome {
		o.Attempt = store.Attempt{Status: status, Duration: d}
		return o
	}
	jittered := failed
	jittered.Probe.Jitter = 1.2
	delivered := store.Outcome{State: store.Delivered}
	tests := []struct {
		name    string
		health  store.Health
		outcome store.Outcome
		want    store.Health
	}{
		{"the first success", store.Health{}, delivered, store.Health{Healthy: true}},
		{"the first failure", store.Health{}, failed, store.Health{Failures: 1, LastFailureAt: now}},
		{"a failure after successes", store.Health{Healthy: true}, failed,
			store.Health{Failures: 1, LastFailureAt: now}},
		{"a failure in a slow start", store.Health{Healthy: true, SlowStart: 3}, failed,
			store.Health{Failures: 1, LastFailureAt: now}},
		{"another failure", store.Health{Failures: 1, LastFailureAt: ago(minute)}, failed,
			store.Health{Failures: 2, FailingFor: minute, LastFailureAt: now}},
		{"a death", store.Health{Failures: 1, LastFailureAt: ago(minute)},
			store.Outcome{State: store.Dead},
			store.Health{Failures: 2, FailingFor: minute, LastFailureAt: now}},
		{"a failure after a long gap",
			store.Health{Failures: 1, FailingFor: minute, LastFailureAt: ago(9 * day)}, failed,
			store.Health{Failures: 2, FailingFor: minute + store.MaxFailureGap, LastFailureAt: now}},
		{"a failure after a clock was set back",
			store.Health{Failures: 1, FailingFor: minute, LastFailureAt: in(hour)}, failed,
			store.Health{Failures: 2, FailingFor: minute, LastFailureAt: now}},
		{"a success after failures", store.Health{
			Failures: 3, FailingFor: hour, LastFailureAt: ago(hour), Probes: 2, NextProbeAt: now,
		}, delivered, store.Health{Healthy: true, SlowStart: 3}},
		{"a success after many failures", store.Health{Failures: 99}, delivered,
			store.Health{Healthy: true, SlowStart: store.MaxSlowStart}},
		{"a success in a slow start", store.Health{Healthy: true, SlowStart: 2}, delivered,
			store.Health{Healthy: true, SlowStart: 1}},
		{"a cancellation", store.Health{Failures: 4, Probes: 1},
			store.Outcome{State: store.Canceled, Probe: policy},
			store.Health{Failures: 4, Probes: 1}},

		// The breaker.
		{"the failure that opens it", store.Health{Failures: 2, LastFailureAt: now}, failed,
			store.Health{Failures: 3, LastFailureAt: now, Probes: 1, NextProbeAt: in(5 * second)}},
		{"a failure after it has opened", store.Health{
			Failures: 3, LastFailureAt: now, Probes: 1, NextProbeAt: in(4 * second),
		}, failed, store.Health{Failures: 4, LastFailureAt: now, Probes: 1, NextProbeAt: in(4 * second)}},
		{"a probe that fails", store.Health{Failures: 3, LastFailureAt: now, Probes: 1, NextProbeAt: now},
			failed,
			store.Health{Failures: 4, LastFailureAt: now, Probes: 2, NextProbeAt: in(10 * second)}},
		{"a late probe that fails", store.Health{Failures: 9, LastFailureAt: now, Probes: 70}, failed,
			store.Health{Failures: 10, LastFailureAt: now, Probes: 71, NextProbeAt: in(5 * minute)}},
		{"jitter", store.Health{Failures: 9, LastFailureAt: now, Probes: 70}, jittered,
			store.Health{Failures: 10, LastFailureAt: now, Probes: 71, NextProbeAt: in(6 * minute)}},
		{"a probe that is refused", store.Health{Failures: 5, LastFailureAt: ago(minute), Probes: 3},
			of(store.EffectRefused),
			store.Health{Failures: 5, FailingFor: minute, LastFailureAt: now, Probes: 3,
				NextProbeAt: in(20 * second)}},
		{"a probe whose hooks fail", store.Health{Failures: 5, LastFailureAt: ago(minute), Probes: 1},
			of(store.EffectNone),
			store.Health{Failures: 5, LastFailureAt: ago(minute), Probes: 1, NextProbeAt: in(5 * second)}},
		{"no policy", store.Health{Failures: 9, LastFailureAt: now}, store.Outcome{State: store.Pending},
			store.Health{Failures: 10, LastFailureAt: now}},

		// What says nothing against the endpoint.
		{"a refusal", store.Health{Healthy: true, SlowStart: 2}, of(store.EffectRefused),
			store.Health{Healthy: true, SlowStart: 2, LastFailureAt: now}},
		{"a refusal after another", store.Health{Healthy: true, LastFailureAt: ago(minute)},
			of(store.EffectRefused),
			store.Health{Healthy: true, FailingFor: minute, LastFailureAt: now}},
		{"a refusal of a new one", store.Health{}, of(store.EffectRefused),
			store.Health{LastFailureAt: now}},
		{"a failure of hooks", store.Health{Failures: 1, LastFailureAt: ago(minute)},
			of(store.EffectNone),
			store.Health{Failures: 1, LastFailureAt: ago(minute)}},

		// How long attempts take.
		{"a slow answer", store.Health{Healthy: true}, took(delivered, 200, 16*second),
			store.Health{Healthy: true, Latency: 2 * second}},
		{"a quick answer after slow ones", store.Health{Healthy: true, Latency: 16 * second},
			took(delivered, 200, 0),
			store.Health{Healthy: true, Latency: 14 * second}},
		{"a timeout", store.Health{Healthy: true}, took(failed, 0, 16*second),
			store.Health{Failures: 1, LastFailureAt: now, Latency: 2 * second}},
		{"no connection", store.Health{Healthy: true, Latency: 16 * second}, took(failed, 0, 0),
			store.Health{Failures: 1, LastFailureAt: now, Latency: 16 * second}},
		{"a quick error", store.Health{Healthy: true, Latency: 16 * second}, took(failed, 500, 0),
			store.Health{Failures: 1, LastFailureAt: now, Latency: 14 * second}},

		// Throttling.
		{"the first throttled answer", store.Health{Healthy: true}, throttled(minute), store.Health{
			Healthy: true, LastFailureAt: now, HeldUntil: in(minute), SlowStart: 1,
			Pacing: store.Pacing{Streak: 1, ThrottledAt: now, Hold: minute},
		}},
		{"the first that does not say how long", store.Health{Healthy: true}, throttled(0), store.Health{
			Healthy: true, LastFailureAt: now, HeldUntil: in(second), SlowStart: 1,
			Pacing: store.Pacing{Streak: 1, ThrottledAt: now, Hold: second},
		}},
		{"one during the hold", store.Health{
			LastFailureAt: now, HeldUntil: in(second), SlowStart: 1,
			Pacing: store.Pacing{Streak: 1, ThrottledAt: now, Hold: second},
		}, throttled(0), store.Health{
			LastFailureAt: now, HeldUntil: in(second), SlowStart: 1,
			Pacing: store.Pacing{Streak: 1, ThrottledAt: now, Hold: second},
		}},
		{"one during the hold that asks for more", store.Health{
			LastFailureAt: now, HeldUntil: in(second), SlowStart: 1,
			Pacing: store.Pacing{Streak: 1, ThrottledAt: now, Hold: second},
		}, throttled(hour), store.Health{
			LastFailureAt: now, HeldUntil: in(hour), SlowStart: 1,
			Pacing: store.Pacing{Streak: 1, ThrottledAt: now, Hold: second},
		}},
		{"a success during the hold", store.Health{
			LastFailureAt: now, HeldUntil: in(hour), SlowStart: 1,
			Pacing: store.Pacing{Streak: 1, ThrottledAt: now, Hold: hour},
		}, delivered, store.Health{
			Healthy: true, HeldUntil: in(hour),
			Pacing: store.Pacing{Successes: 1, ThrottledAt: now, Hold: hour},
		}},
		{"a throttled probe", store.Health{Failures: 3, LastFailureAt: now, Probes: 1, NextProbeAt: now},
			throttled(hour),
			store.Health{
				Failures: 3, LastFailureAt: now, Probes: 1, NextProbeAt: in(5 * second), HeldUntil: in(hour),
				SlowStart: 1, Pacing: store.Pacing{Streak: 1, ThrottledAt: now, Hold: hour},
			}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.health.Next(&tt.outcome, now); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestRecovered(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	got := store.Health{
		Failures: 5, FailingFor: time.Hour, LastFailureAt: now, Probes: 3, NextProbeAt: now,
		HeldUntil: now,
		Latency:   time.Minute,
	}.Recovered()
	if want := (store.Health{Healthy: true, SlowStart: 5, Latency: time.Minute}); got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestLatency holds the average against one that is not rounded.
func TestLatency(t *testing.T) {
	for _, usual := range []time.Duration{
		3 * time.Millisecond, 40 * time.Millisecond, 300 * time.Millisecond, 1500 * time.Millisecond,
		14 * time.Second,
	} {
		rnd := rand.New(rand.NewPCG(uint64(usual), 0))
		var h store.Health
		var sum time.Duration
		changes := 0
		const n = 4000
		for i := range n {
			a := store.Attempt{At: time.Unix(int64(i), rnd.Int64N(1e9)), Status: 200}
			a.Duration = usual/2 + time.Duration(rnd.Int64N(int64(usual)))
			before := h.Latency
			h = h.Next(&store.Outcome{State: store.Delivered, Attempt: a}, a.At)
			if h.Latency != before {
				changes++
			}
			if i >= n/2 {
				sum += h.Latency
			}
		}
		mean := sum / (n / 2)
		t.Logf("attempts of %v: %v on average, %d changes in %d", usual, mean, changes, n)
		if off := (mean - usual).Abs(); off > usual/10+5*time.Millisecond {
			t.Errorf("attempts of about %v: Latency is %v on average", usual, mean)
		}
		if usual < 10*time.Millisecond && changes > n/50 {
			t.Errorf("attempts of about %v: Latency changed %d times in %d", usual, changes, n)
		}
	}
}

func TestFailingSince(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	if got := (&store.Health{FailingFor: time.Hour}).FailingSince(); !got.IsZero() {
		t.Errorf("without failures it is failing since %v", got)
	}
	h := store.Health{Failures: 2, FailingFor: time.Hour, LastFailureAt: at}
	if got, want := h.FailingSince(), at.Add(-time.Hour); !got.Equal(want) {
		t.Errorf("failing since %v, want %v", got, want)
	}
}

func TestClassAndLimit(t *testing.T) {
	tests := []struct {
		name   string
		health store.Health
		class  store.Class
		limits [4]int // with PerSubscription 0, 1, 16; and 16 with BreakerThreshold 5
	}{
		{"healthy", store.Health{Healthy: true}, store.ClassHealthy, [4]int{0, 1, 16, 16}},
		{"new", store.Health{}, store.ClassNew, [4]int{0, 1, 16, 16}},
		{"failing", store.Health{Failures: 4}, store.ClassFailing, [4]int{0, 1, 16, 16}},
		{"failing often", store.Health{Failures: 5}, store.ClassFailing, [4]int{0, 1, 16, 1}},
		{"one success to go", store.Health{Healthy: true, SlowStart: 1}, store.ClassHealthy,
			[4]int{0, 1, 8, 8}},
		{"four to go", store.Health{Healthy: true, SlowStart: 4}, store.ClassHealthy, [4]int{0, 1, 1, 1}},
		{"slow", store.Health{Healthy: true, Latency: store.SlowLatency + 1}, store.ClassSlow,
			[4]int{0, 1, 16, 16}},
		{"as quick as need be", store.Health{Healthy: true, Latency: store.SlowLatency},
			store.ClassHealthy, [4]int{0, 1, 16, 16}},
		{"refused and never tried otherwise", store.Health{LastFailureAt: time.Unix(1, 0)},
			store.ClassNew, [4]int{0, 1, 16, 16}},
		{"all to go", store.Health{Healthy: true, SlowStart: store.MaxSlowStart}, store.ClassHealthy,
			[4]int{0, 1, 1, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.health.Class(); got != tt.class {
				t.Errorf("class %d, want %d", got, tt.class)
			}
			if got, want := tt.health.New(), tt.class == store.ClassNew; got != want {
				t.Errorf("new: %v, want %v", got, want)
			}
			for i, req := range []store.ClaimRequest{
				{}, {PerSubscription: 1}, {PerSubscription: 16}, {PerSubscription: 16, BreakerThreshold: 5},
			} {
				if got := req.Limit(&tt.health); got != tt.limits[i] {
					t.Errorf("with %+v the limit is %d, want %d", req, got, tt.limits[i])
				}
			}
		})
	}
	if got := (&store.ClaimRequest{BreakerThreshold: 1}).Limit(&store.Health{Failures: 1}); got != 1 {
		t.Errorf("without PerSubscription, a probe's limit is %d, want 1", got)
	}
}

func TestRoom(t *testing.T) {
	tests := []struct {
		name               string
		unhealthy, failing int
		leased             [store.Classes]int // healthy, new, failing, slow
		want               [store.Classes]bool
		elsewhere          store.Leased
	}{
		{"no limits", 0, 0, [4]int{9, 9, 9, 0}, [4]bool{true, true, true, true}, store.Leased{}},
		{"all free", 4, 3, [4]int{9, 0, 0, 0}, [4]bool{true, true, true, true}, store.Leased{}},
		{"the failing at theirs", 4, 3, [4]int{0, 0, 3, 0}, [4]bool{true, true, false, true},
			store.Leased{}},
		{"one left for both", 4, 3, [4]int{0, 1, 2, 0}, [4]bool{true, true, true, true}, store.Leased{}},
		{"the new have all", 4, 3, [4]int{0, 4, 0, 0}, [4]bool{true, false, false, false},
			store.Leased{}},
		{"both have all", 4, 3, [4]int{0, 2, 2, 0}, [4]bool{true, false, false, false}, store.Leased{}},
		{"more than all", 4, 3, [4]int{0, 9, 9, 0}, [4]bool{true, false, false, false}, store.Leased{}},
		{"the slow have all", 4, 3, [4]int{0, 0, 0, 4}, [4]bool{true, false, false, false},
			store.Leased{}},
		{"one left for three", 4, 3, [4]int{0, 1, 1, 1}, [4]bool{true, true, true, true}, store.Leased{}},
		{"the failing have a limit alone", 0, 1, [4]int{0, 9, 1, 0}, [4]bool{true, true, false, true},
			store.Leased{}},
		{"others have all but one", 4, 3, [4]int{}, [4]bool{true, true, true, true},
			store.Leased{Unhealthy: 3, Failing: 2}},
		{"others have all", 4, 3, [4]int{}, [4]bool{true, false, false, false},
			store.Leased{Unhealthy: 4, Failing: 0}},
		{"with others, all", 4, 3, [4]int{0, 1, 1, 1}, [4]bool{true, false, false, false},
			store.Leased{Unhealthy: 1, Failing: 0}},
		{"others have all of the failing", 4, 3, [4]int{}, [4]bool{true, true, false, true},
			store.Leased{Unhealthy: 3, Failing: 3}},
		{"with others, the failing have theirs", 9, 3, [4]int{0, 1, 1, 1},
			[4]bool{true, true, false, true},
			store.Leased{Unhealthy: 2, Failing: 2}},
		{"others, without limits", 0, 0, [4]int{}, [4]bool{true, true, true, true},
			store.Leased{Unhealthy: 9, Failing: 9}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := store.ClaimRequest{
				MaxUnhealthy: tt.unhealthy, MaxFailing: tt.failing, Elsewhere: tt.elsewhere,
			}
			for class, want := range tt.want {
				if got := req.Room(store.Class(class), &tt.leased); got != want {
					t.Errorf("room for class %d: %v, want %v", class, got, want)
				}
			}
		})
	}
}
