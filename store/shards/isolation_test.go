package shards_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
)

// TestOthersAreNotDelayed has a dispatcher deliver for two tenants of different stores, one of
// which works, fails, is slow, or hangs. Deliveries of the other take as long at the 99th
// percentile, within 2 %; the trouble is told; and the dispatcher neither stops nor spins.
func TestOthersAreNotDelayed(t *testing.T) {
	base := isolation(t, nil)
	for name, harm := range map[string]func(context.Context, string) error{
		"dead": fails,
		"slow": func(ctx context.Context, method string) error {
			select {
			case <-time.After(3 * time.Second):
			case <-ctx.Done():
			}
			return nil
		},
		"hanging": func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return ctx.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := isolation(t, harm)
			t.Logf("p99 %v, beside a store that works %v; %d claims of the store, %d times told",
				r.p99, base.p99, r.claims, r.told)
			if r.p99 > base.p99*102/100 {
				t.Errorf("p99: got %v, want within 2 %% of %v", r.p99, base.p99)
			}
			if r.told == 0 && name != "slow" {
				t.Error("nobody was told of the trouble")
			}
			if most := 40; name == "dead" && r.claims > most { // 20 s, at delays from 50 ms to 5 s
				t.Errorf("claims of the dead store: got %d, want at most %d", r.claims, most)
			}
		})
	}
}

type isolated struct {
	p99          time.Duration
	told, claims int
}

func isolation(t *testing.T, harm func(context.Context, string) error) (r isolated) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		e := &endpoint{arrived: make(map[string]int), at: make(map[string]time.Time)}
		var mu sync.Mutex // guards r
		d, err := dispatcher.New(p.Store, &dispatcher.Options{
			Transport: e,
			Observer: &dispatcher.Observer{OnStoreTrouble: func(op string, _ error) {
				mu.Lock()
				defer mu.Unlock()
				if op == "claim" {
					r.told++
				}
			}},
		})
		if err != nil {
			t.Fatal(err)
		}
		p.subscribe("sick")
		p.subscribe("well")
		p.publish("sick", 50)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := d.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
		<-time.After(15 * time.Millisecond) // attempts of both are under way
		if harm != nil {
			p.sick.set(func(ctx context.Context, method string) error {
				if method == "Claim" {
					mu.Lock()
					r.claims++
					mu.Unlock()
				}
				return harm(ctx, method)
			})
		}
		began := make(map[string]time.Time)
		for range 1000 {
			ev := p.event("well")
			began[ev.ID] = time.Now()
			if err := d.Publish(ctx, ev); err != nil {
				t.Fatal(err)
			}
			<-time.After(20 * time.Millisecond)
		}
		<-time.After(time.Second)
		p.sick.set(nil)
		stop()
		running.Wait()
		e.mu.Lock()
		defer e.mu.Unlock()
		var took []time.Duration
		for id, from := range began {
			if e.arrived[id] != 1 {
				t.Errorf("an event of the other tenant arrived %d times", e.arrived[id])
			}
			took = append(took, e.at[id].Sub(from))
		}
		slices.Sort(took)
		r.p99 = took[len(took)*99/100]
	})
	return r
}
