package store_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

func TestHealthNext(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	const hour, day = time.Hour, 24 * time.Hour
	failed := store.Outcome{State: store.Pending}
	held := store.Outcome{State: store.Pending, ProbeIn: hour}
	delivered := store.Outcome{State: store.Delivered}
	tests := []struct {
		name     string
		health   store.Health
		outcome  store.Outcome
		failedAt time.Time
		want     store.Health
	}{
		{"the first success", store.Health{}, delivered, time.Time{}, store.Health{Healthy: true}},
		{"the first failure", store.Health{}, failed, time.Time{}, store.Health{Failures: 1}},
		{"a failure after successes", store.Health{Healthy: true}, failed, ago(day), store.Health{Failures: 1}},
		{"a failure in a slow start", store.Health{Healthy: true, SlowStart: 3}, failed, ago(hour), store.Health{Failures: 1}},
		{"another failure", store.Health{Failures: 1}, failed, ago(hour), store.Health{Failures: 2, FailingFor: hour}},
		{"a death", store.Health{Failures: 1}, store.Outcome{State: store.Dead}, ago(hour),
			store.Health{Failures: 2, FailingFor: hour}},
		{"a failure after a long gap", store.Health{Failures: 2, FailingFor: hour}, failed, ago(9 * day),
			store.Health{Failures: 3, FailingFor: hour + store.MaxFailureGap}},
		{"a failure after a clock was set back", store.Health{Failures: 2, FailingFor: hour}, failed, ago(-hour),
			store.Health{Failures: 3, FailingFor: hour}},
		{"a success after failures", store.Health{Failures: 3, FailingFor: hour, Probes: 2, NextProbeAt: now}, delivered, ago(hour),
			store.Health{Healthy: true, SlowStart: 3}},
		{"a success after many failures", store.Health{Failures: 99}, delivered, ago(hour),
			store.Health{Healthy: true, SlowStart: store.MaxSlowStart}},
		{"a success in a slow start", store.Health{Healthy: true, SlowStart: 2}, delivered, ago(hour),
			store.Health{Healthy: true, SlowStart: 1}},
		{"a hold", store.Health{}, held, time.Time{}, store.Health{Failures: 1, Probes: 1, NextProbeAt: now.Add(hour)}},
		{"a hold after a hold", store.Health{Failures: 1, Probes: 1, NextProbeAt: now}, held, now,
			store.Health{Failures: 2, Probes: 2, NextProbeAt: now.Add(hour)}},
		{"a hold in a shorter one lengthens it", store.Health{Failures: 1, Probes: 1, NextProbeAt: now.Add(1)}, held, now,
			store.Health{Failures: 2, Probes: 1, NextProbeAt: now.Add(hour)}},
		{"a hold in a longer one", store.Health{Failures: 1, Probes: 1, NextProbeAt: now.Add(day)}, held, now,
			store.Health{Failures: 2, Probes: 1, NextProbeAt: now.Add(day)}},
		{"a cancellation", store.Health{Failures: 1, Probes: 1}, store.Outcome{State: store.Canceled, ProbeIn: hour}, ago(hour),
			store.Health{Failures: 1, Probes: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.health.Next(&tt.outcome, now, tt.failedAt); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestFailingSince(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	if got := (&store.Health{FailingFor: time.Hour}).FailingSince(at); !got.IsZero() {
		t.Errorf("without failures it is failing since %v", got)
	}
	h := store.Health{Failures: 2, FailingFor: time.Hour}
	if got, want := h.FailingSince(at), at.Add(-time.Hour); !got.Equal(want) {
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
		{"one success to go", store.Health{Healthy: true, SlowStart: 1}, store.ClassHealthy, [4]int{0, 1, 8, 8}},
		{"four to go", store.Health{Healthy: true, SlowStart: 4}, store.ClassHealthy, [4]int{0, 1, 1, 1}},
		{"all to go", store.Health{Healthy: true, SlowStart: store.MaxSlowStart}, store.ClassHealthy, [4]int{0, 1, 1, 1}},
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
		leased             [store.Classes]int // healthy, new, failing
		want               [store.Classes]bool
	}{
		{"no limits", 0, 0, [3]int{9, 9, 9}, [3]bool{true, true, true}},
		{"all free", 4, 3, [3]int{9, 0, 0}, [3]bool{true, true, true}},
		{"the failing at theirs", 4, 3, [3]int{0, 0, 3}, [3]bool{true, true, false}},
		{"one left for both", 4, 3, [3]int{0, 1, 2}, [3]bool{true, true, true}},
		{"the new have all", 4, 3, [3]int{0, 4, 0}, [3]bool{true, false, false}},
		{"both have all", 4, 3, [3]int{0, 2, 2}, [3]bool{true, false, false}},
		{"more than all", 4, 3, [3]int{0, 9, 9}, [3]bool{true, false, false}},
		{"the failing have a limit alone", 0, 1, [3]int{0, 9, 1}, [3]bool{true, true, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := store.ClaimRequest{MaxUnhealthy: tt.unhealthy, MaxFailing: tt.failing}
			for class, want := range tt.want {
				if got := req.Room(store.Class(class), &tt.leased); got != want {
					t.Errorf("room for class %d: %v, want %v", class, got, want)
				}
			}
		})
	}
}
