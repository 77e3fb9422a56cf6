package shards_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// hangs is a store that answers nothing.
func hangs(ctx context.Context, _ string) error {
	<-ctx.Done()
	return ctx.Err()
}

// forgetLocations has the Store forget where subscriptions are, as a move does.
func (p *pair) forgetLocations() {
	p.Helper()
	for _, to := range []int{0, 1} {
		if err := p.Move(p.Context(), "third", to); err != nil {
			p.Fatal(err)
		}
	}
}

// finishBoth records a success of each claim.
func (p *pair) finishBoth(claims []store.Claim) []store.Result {
	p.Helper()
	var outcomes []store.Outcome
	for i := range claims {
		outcomes = append(outcomes, delivered(&claims[i]))
	}
	results, err := p.Finish(p.Context(), outcomes...)
	if err != nil {
		p.Fatalf("Finish of both: %v", err)
	}
	return results
}

// TestOutcomesFindTheirShard finishes claims of both stores in one call when one of them is dead
// and nothing is remembered of where subscriptions are. The other's outcome must be recorded.
func TestOutcomesFindTheirShard(t *testing.T) {
	for name, wait := range map[string]time.Duration{
		"leases that run": 0, "leases that have run out": 2 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPair(t)
				sick, well := p.subscribe("sick"), p.subscribe("well")
				p.publish("sick", 1)
				p.publish("well", 1)
				got, n := p.claim(store.ClaimRequest{Max: 2})
				p.equal("claims", n, map[string]int{"sick": 1, "well": 1})
				p.forgetLocations()
				<-time.After(wait)
				p.sick.set(fails)
				p.finishBoth(got.Claims)
				p.sick.set(nil)
				<-time.After(10 * time.Second) // retries are at most 5 s apart
				want := map[string]int{well.ID: 0, sick.ID: 0}
				if wait > 0 {
					want[sick.ID] = 1 // nobody knew whose it was, and it is attempted again
				}
				for id, pending := range want {
					stats, err := p.Stats(t.Context(), id)
					if err != nil {
						t.Fatal(err)
					}
					p.equal("pending of "+id, stats.Pending, pending)
				}
			})
		})
	}
}

// TestProbesOfOthers has subscriptions of both stores probed in one call when one store is dead and
// nothing is remembered of where they are.
func TestProbesOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		sick, well := p.subscribe("sick"), p.subscribe("well")
		p.publish("well", 1)
		got, _ := p.claim(store.ClaimRequest{Max: 1})
		_, err := p.Finish(t.Context(), store.Outcome{
			Lease: got.Claims[0].Lease, State: store.Pending, Attempt: store.Attempt{Number: 1},
			Probe: store.ProbePolicy{Threshold: 1, First: time.Hour, Max: time.Hour},
		})
		if err != nil {
			t.Fatal(err)
		}
		p.forgetLocations()
		p.sick.set(fails)
		p.isOfShard("ProbeNow", p.ProbeNow(t.Context(), sick.ID, well.ID))
		_, n := p.claim(store.ClaimRequest{Max: 1, BreakerThreshold: 1})
		p.equal("claims once it is probed", n, map[string]int{"well": 1})
	})
}

// TestPruneOfOthers has one store hang. Prune must go on with the other, without waiting for the
// first in each step, and say which does not answer when it is done.
func TestPruneOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("well")
		const deliveries = 5000
		p.publish("well", deliveries)
		for done := 0; done < deliveries; {
			got, n := p.claim(store.ClaimRequest{Max: 500})
			p.finishBoth(got.Claims)
			done += n["well"]
		}
		<-time.After(time.Hour)
		p.sick.set(hangs)
		began, steps, more, err := time.Now(), 0, true, error(nil)
		for ; more; steps++ {
			more, err = p.Prune(t.Context(), store.Retention{Delivered: time.Minute})
		}
		p.equal("an error of store 0", isOf(err, 0), true)
		if steps < 3 {
			t.Fatalf("steps: got %d, want some, so that the time says something", steps)
		}
		p.equal("took", time.Since(began), 5250*time.Millisecond)
		left, err := p.Deliveries(t.Context(), store.DeliveryQuery{Tenant: "well"})
		if err != nil || len(left.Items) > 0 {
			t.Errorf("left: got %d, error %v", len(left.Items), err)
		}
		p.sick.set(nil)
	})
}

// TestSlowShardIsNotAskedForNothing has a dispatcher with nothing to do over a store whose claims
// take longer than one waits for it. It must not be asked again and again.
func TestSlowShardIsNotAskedForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("sick")
		var asked atomic.Int64
		p.sick.set(func(_ context.Context, method string) error {
			if method == "Claim" {
				asked.Add(1)
				<-time.After(20 * time.Millisecond)
			}
			return nil
		})
		e := &endpoint{arrived: make(map[string]int)}
		d, err := dispatcher.New(p.Store, &dispatcher.Options{Transport: e})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- d.Run(ctx) }()
		p.publish("sick", 10)
		<-time.After(10 * time.Minute)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		p.equal("arrived", len(e.arrived), 10)
		if got, most := asked.Load(), int64(50); got > most {
			t.Errorf("claims of a store with nothing to do: got %d in 10 minutes, want at most %d",
				got, most)
		}
	})
}

// TestClosedTenantCostsOthersNothing publishes for a tenant whose move was cut off, in another
// process. Whatever that returns, what is remembered of other tenants must stay.
func TestClosedTenantCostsOthersNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		sub := p.subscribe("well")
		if _, err := p.Subscription(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		set := func(st store.TenantMover, phase store.TenantPhase, peer int) {
			t.Helper()
			err := st.SetTenantState(t.Context(), "sick", store.TenantState{Phase: phase, Peer: peer})
			if err != nil {
				t.Fatal(err)
			}
		}
		set(p.sick, store.TenantLeaving, 1)
		set(p.well, store.TenantArriving, 0)
		looked := 0
		count := func(_ context.Context, method string) error {
			if method == "Subscription" {
				looked++
			}
			return nil
		}
		for i := range 10 {
			if err := p.Enqueue(t.Context(), p.event("sick")); err == nil {
				t.Fatal("Enqueue for a tenant that is closed: got no error")
			}
			_, err := p.Subscription(t.Context(), sub.ID)
			p.equal("Subscription", err, nil)
			synctest.Wait() // what asks the other store too is not waited for
			if i == 0 {     // which was news
				p.sick.set(count)
			}
		}
		p.equal("looked for in the other store", looked, 0)
	})
}
