package shards_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

// TestShardsTakeTurns wants each store to get its share of every Claim, and what one leaves to be
// the other's.
func TestShardsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("sick")
		for range 5 {
			p.subscribe("well")
		}
		p.publish("sick", 30)
		p.publish("well", 30)
		total := make(map[string]int)
		for i := range 9 {
			_, n := p.claim(store.ClaimRequest{Max: 5})
			for tenant, n := range n {
				total[tenant] += n
			}
			if d := total["sick"] - total["well"]; d < -1 || d > 1 {
				t.Errorf("after %d claims of 5: got %v, want the same of both", i+1, total)
			}
		}
		for range 9 { // one at a time
			_, n := p.claim(store.ClaimRequest{Max: 1})
			total["sick"] += n["sick"]
			total["well"] += n["well"]
		}
		if d := total["sick"] - total["well"]; d < -1 || d > 1 {
			t.Errorf("after claims of one: got %v, want the same of both", total)
		}
		_, n := p.claim(store.ClaimRequest{Max: 100})
		p.equal("the rest of one", n["sick"], 30-total["sick"])
		p.equal("what that leaves", n["well"], 100-n["sick"])
	})
}

// quiet is a store whose Ready says nothing of room that a Finish makes, as one whose own Claims
// have found nothing need not.
type quiet struct{ store.Store }

func (quiet) Ready() <-chan struct{} { return nil }

// TestLimitsAreShared wants the limits of what is not healthy to hold over both stores, and room
// that is made in one of them to be the other's.
func TestLimitsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		s, err := shards.New(func(tenant string) int { return len(tenant) % 2 },
			quiet{memstore.New()}, quiet{memstore.New()})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		p.Store = s
		p.subscribe("sick")
		p.subscribe("other")
		p.publish("sick", 5)
		p.publish("other", 2)
		req := store.ClaimRequest{Max: 100, MaxUnhealthy: 7}
		got, n := p.claim(req)
		p.equal("claims", len(got.Claims), 7)
		p.equal("Leased", got.Leased.Unhealthy, 7)
		if n["other"] != 2 {
			t.Errorf("claims of the one with less: got %d, want its 2", n["other"])
		}
		more, _ := p.claim(req)
		p.equal("claims at the limit", len(more.Claims), 0)
		p.publish("other", 9)
		select {
		case <-p.Ready():
		default:
		}
		// Those of the first store end, which has nothing more; the second hears of nothing.
		for i := range got.Claims {
			if cl := &got.Claims[i]; cl.Tenant == "sick" {
				if _, err := p.Finish(t.Context(), delivered(cl)); err != nil {
					t.Fatal(err)
				}
			}
		}
		synctest.Wait()
		select {
		case <-p.Ready():
		default:
			t.Error("Ready says nothing of the room")
		}
		again, _ := p.claim(req)
		p.equal("claims of the room", len(again.Claims), 5)
	})
}

// TestFarLimitsCostNothing wants stores not to be asked what they have leased while the limits are
// far.
func TestFarLimitsCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("sick")
		p.subscribe("well")
		p.publish("sick", 40)
		p.publish("well", 40)
		asked := 0
		p.sick.set(func(_ context.Context, method string) error {
			if method == "Claim" {
				asked++
			}
			return nil
		})
		for range 5 {
			_, n := p.claim(store.ClaimRequest{Max: 4, MaxUnhealthy: 30, MaxFailing: 20})
			p.equal("claims", n, map[string]int{"sick": 2, "well": 2})
		}
		p.equal("calls of a store by 5 claims", asked, 5)
		total := 20
		for range 5 {
			got, _ := p.claim(store.ClaimRequest{Max: 4, MaxUnhealthy: 30, MaxFailing: 20})
			total += len(got.Claims)
		}
		p.equal("claims up to the limit", total, 30)
	})
}

// TestPerHostIsShared wants PerHost to hold over both stores, without claiming the same again and
// again.
func TestPerHostIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("sick")
		p.subscribe("well")
		p.publish("sick", 10)
		p.publish("well", 10)
		req := store.ClaimRequest{Max: 100, PerHost: 4}
		var under []store.Claim
		claims := 0
		p.sick.set(nil)
		for began := time.Now(); time.Since(began) < 5*time.Second; claims++ {
			got, _ := p.claim(req)
			if under = append(under, got.Claims...); len(under) > 4 {
				t.Fatalf("under way to one host: got %d, want at most 4", len(under))
			}
			select { // as a dispatcher waits
			case <-p.Ready():
			case <-time.After(min(got.NextDue, time.Minute)):
			}
		}
		p.equal("under way to one host", len(under), 4)
		if claims > 500 { // 5 s, two pauses of 100 ms, and some Ready after each
			t.Errorf("there were %d claims in 5 s: a caller of Claim spins", claims)
		}
		if _, err := p.Finish(t.Context(), delivered(&under[0]), delivered(&under[1])); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		got, _ := p.claim(req)
		p.equal("claims of the room", len(got.Claims), 2)
	})
}

// TestPerHostAfterLeases wants leases that have run out, which their caller never ends, to leave
// room for others to the same host.
func TestPerHostAfterLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("sick")
		p.subscribe("well")
		p.publish("sick", 2)
		p.publish("well", 2)
		req := store.ClaimRequest{Max: 100, PerHost: 4}
		got, n := p.claim(req)
		p.equal("claims", n, map[string]int{"sick": 2, "well": 2})
		<-time.After(2 * time.Minute)
		got, n = p.claim(req)
		p.equal("claims once the leases have run out", n, map[string]int{"sick": 2, "well": 2})
		p.equal("Trouble", got.Trouble, nil)
	})
}

// TestSlowShardAtALimit has a slow store with more due than MaxUnhealthy lets it yield. It must not
// be asked again and again for what the limit keeps back, as a dispatcher claims whenever Ready
// says so.
func TestSlowShardAtALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("sick")
		p.publish("sick", 10)
		var asked atomic.Int64
		p.sick.set(func(_ context.Context, method string) error {
			if method == "Claim" {
				asked.Add(1)
				<-time.After(20 * time.Millisecond)
			}
			return nil
		})
		req := store.ClaimRequest{Max: 100, MaxUnhealthy: 4}
		var under []store.Claim
		for began := time.Now(); time.Since(began) < 30*time.Second; {
			got, _ := p.claim(req)
			under = append(under, got.Claims...)
			select {
			case <-p.Ready():
			case <-time.After(min(got.NextDue, time.Minute)):
			}
		}
		p.equal("under way", len(under), 4)
		if got, most := asked.Load(), int64(10); got > most {
			t.Errorf("the store was asked %d times in 30 s, want %d at most", got, most)
		}
		// Room in the limit is used, though.
		if _, err := p.Finish(t.Context(), delivered(&under[0])); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			got, _ := p.claim(req)
			under = append(under, got.Claims...)
			<-time.After(100 * time.Millisecond)
		}
		p.equal("claimed in all", len(under) > 4, true)
	})
}
