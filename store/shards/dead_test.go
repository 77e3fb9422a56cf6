package shards_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
)

// TestDeadShardIsContained has one store fail every call: its tenants' calls say so, the others'
// succeed, and it is used again once it is back.
func TestDeadShardIsContained(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		sick, well := p.subscribe("sick"), p.subscribe("well")
		p.publish("sick", 3)
		p.publish("well", 9)
		before, _ := p.claim(store.ClaimRequest{Max: 2}) // one of each
		p.sick.set(fails)

		ctx := t.Context()
		p.isOfShard("Enqueue", p.Enqueue(ctx, p.event("sick")))
		_, err := p.Subscription(ctx, sick.ID)
		p.isOfShard("Subscription", err)
		_, err = p.Stats(ctx, "")
		p.isOfShard("Stats of all", err)
		_, err = p.Deliveries(ctx, store.DeliveryQuery{AnyTenant: true})
		p.isOfShard("Deliveries of all", err)
		_, err = p.Prune(ctx, store.Retention{})
		p.isOfShard("Prune", err)

		p.publish("well", 1)
		if _, err := p.Subscription(ctx, well.ID); err != nil {
			t.Errorf("Subscription of the other tenant: %v", err)
		}
		if _, err := p.Deliveries(ctx, store.DeliveryQuery{Tenant: "well"}); err != nil {
			t.Errorf("Deliveries of the other tenant: %v", err)
		}
		p.subscribe("well") // though the other can't say whether it has the ID

		got, n := p.claim(store.ClaimRequest{Max: 4})
		p.equal("claims", n, map[string]int{"well": 4})
		p.isOfShard("Trouble", got.Trouble)
		p.equal("NextDue", got.NextDue <= 50*time.Millisecond, true)
		got, n = p.claim(store.ClaimRequest{Max: 2})
		p.equal("claims at once after", n, map[string]int{"well": 2})
		p.equal("Trouble that is not new", got.Trouble, nil)

		var outcomes []store.Outcome
		for i := range before.Claims {
			outcomes = append(outcomes, delivered(&before.Claims[i]))
		}
		results, err := p.Finish(ctx, outcomes...)
		if err != nil {
			t.Fatalf("Finish of both: %v", err)
		}
		for i, r := range results {
			p.equal("Ignored", r.Ignored, before.Claims[i].Tenant == "sick")
		}

		p.sick.set(nil)
		<-time.After(10 * time.Second) // of the bubble; retries are at most 5 s apart
		stats, err := p.Stats(ctx, sick.ID)
		if err != nil {
			t.Fatal(err)
		}
		p.equal("pending, once the outcome that was kept is recorded", stats.Pending, 2)
		_, n = p.claim(store.ClaimRequest{Max: 100})
		p.equal("claims of the store that is back", n["sick"], 2)
	})
}

// TestAllShardsDead wants an error of a Claim when no store works, and the one that ends a
// dispatcher only when all are closed.
func TestAllShardsDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.sick.set(fails)
		p.well.Close()
		req := store.ClaimRequest{Max: 1, Lease: time.Minute}
		_, err := p.Claim(t.Context(), req)
		if !errors.Is(err, errDisk) || errors.Is(err, store.ErrClosed) {
			t.Errorf("Claim with one that fails and one that is closed: got error %v", err)
		}
		p.sick.set(nil)
		p.sick.Close()
		<-time.After(time.Minute)
		if _, err := p.Claim(t.Context(), req); !errors.Is(err, store.ErrClosed) {
			t.Errorf("Claim when all are closed: got error %v, want %v", err, store.ErrClosed)
		}
	})
}

// TestPanicOfAShard wants a store that panics to be one in trouble.
func TestPanicOfAShard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("well")
		p.publish("well", 1)
		p.sick.set(func(context.Context, string) error { panic("ouch") })
		got, n := p.claim(store.ClaimRequest{Max: 4})
		p.equal("claims", n, map[string]int{"well": 1})
		if got.Trouble == nil {
			t.Error("Trouble: got none")
		}
	})
}

// TestSlowShardDelaysNobody has the claims of one store take two seconds. No Claim takes longer
// than 5 ms for that, only the first takes as long, and what comes late is handed out.
func TestSlowShardDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.subscribe("sick")
		p.subscribe("well")
		p.publish("sick", 40)
		p.publish("well", 400)
		p.sick.set(func(ctx context.Context, method string) error {
			if method == "Claim" {
				<-time.After(2 * time.Second)
			}
			return nil
		})
		var waited time.Duration
		total, last := make(map[string]int), 0
		for range 100 {
			began := time.Now()
			got, n := p.claim(store.ClaimRequest{Max: 4, MaxUnhealthy: 1000})
			took := time.Since(began)
			waited += took
			if took > 5*time.Millisecond {
				t.Fatalf("a Claim took %v", took)
			}
			if last = n["well"]; last < 2 && total["well"] < 400 {
				t.Fatalf("claims of the other tenant: got %d, want at least its share", last)
			}
			var outcomes []store.Outcome
			for i := range got.Claims {
				outcomes = append(outcomes, delivered(&got.Claims[i]))
				total[got.Claims[i].Tenant]++
			}
			results, err := p.Finish(t.Context(), outcomes...)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				p.equal("Ignored", r.Ignored, false)
			}
			<-time.After(100 * time.Millisecond)
		}
		p.equal("waited for the slow store in all", waited, 5*time.Millisecond)
		if total["sick"] < 4 {
			t.Errorf("claims of the slow store: got %d, want what it yields in 10 s", total["sick"])
		}
		p.equal("goes on", total["well"] > 300, true)
	})
}

// TestLateClaimsAreFresh changes a subscription, and pauses another, while a slow store has claims
// of both on their way. They are not handed out but given back.
func TestLateClaimsAreFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		changed, paused, other := p.subscribe("sick"), p.subscribe("sick"), p.subscribe("sick")
		p.publish("sick", 1)
		p.sick.set(func(ctx context.Context, method string) error {
			if method == "Claim" {
				<-time.After(time.Second)
			}
			return nil
		})
		_, n := p.claim(store.ClaimRequest{Max: 10}) // asks for them
		p.equal("claims at once", n, map[string]int{})
		<-time.After(1500 * time.Millisecond)
		_, err := p.UpdateSubscription(t.Context(), changed.ID, func(s *store.Subscription) error {
			s.URL = "https://new.example/"
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got, _ := p.claim(store.ClaimRequest{Max: 10,
			Pauses: []store.Pause{{SubscriptionID: paused.ID, For: time.Hour}}})
		p.equal("claims that came late", len(got.Claims), 1)
		if len(got.Claims) == 1 {
			p.equal("subscription", got.Claims[0].SubscriptionID, other.ID)
		}
		p.sick.set(nil)
		<-time.After(5 * time.Second)
		urls := map[string]string{}
		for range 3 { // one takes in what came late
			got, _ = p.claim(store.ClaimRequest{Max: 10})
			for i := range got.Claims {
				urls[got.Claims[i].SubscriptionID] = got.Claims[i].Subscription.URL
			}
		}
		p.equal("claims afterwards", urls, map[string]string{changed.ID: "https://new.example/"})
	})
}

// TestLateClaimTooOld wants claims that came so late that little is left of their lease to be given
// back.
func TestLateClaimTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		sub := p.subscribe("sick")
		p.publish("sick", 1)
		p.sick.set(func(ctx context.Context, method string) error {
			if method == "Claim" {
				<-time.After(20 * time.Second) // of the minute that a lease lasts
			}
			return nil
		})
		p.claim(store.ClaimRequest{Max: 10})
		<-time.After(21 * time.Second)
		p.sick.set(nil)
		_, n := p.claim(store.ClaimRequest{Max: 10})
		p.equal("claims that are too old", n, map[string]int{})
		synctest.Wait()
		_, n = p.claim(store.ClaimRequest{Max: 10})
		<-time.After(time.Second)
		_, again := p.claim(store.ClaimRequest{Max: 10})
		p.equal("claims anew", n["sick"]+again["sick"], 1)
		stats, err := p.Stats(t.Context(), sub.ID)
		if err != nil {
			t.Fatal(err)
		}
		p.equal("in flight", stats.InFlight, 1)
	})
}

// TestHangingShardIsTold wants a claim that does not return to be seen.
func TestHangingShardIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		p.sick.set(func(ctx context.Context, method string) error {
			<-ctx.Done()
			return ctx.Err()
		})
		told := 0
		for range 100 {
			got, _ := p.claim(store.ClaimRequest{Max: 1})
			if got.Trouble != nil {
				told++
			}
			<-time.After(time.Second)
		}
		p.equal("times that it is told", told, 1)
	})
}
