package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

// Bench measures a store. open returns a new, empty store; Bench closes it when it has a Close
// method.
//
// Each benchmark reports deliveries/s: enqueued, delivered or listed ones, as its name says.
// Events have payloads of 512 bytes and IDs of their own making, as a host's have. Compare claim
// with its larger backlog, and among with single: the figures of a store that scales are the same.
func Bench(b *testing.B, open func(b *testing.B) store.Store) {
	for _, bench := range []struct {
		name string
		run  func(bb *bench)
	}{
		{"enqueue/single", func(bb *bench) { bb.enqueue(1, 1) }},
		{"enqueue/batch-100", func(bb *bench) { bb.enqueue(1, 100) }},
		{"enqueue/parallel-16", func(bb *bench) { bb.enqueue(16, 1) }},
		{"enqueue/parallel-64", func(bb *bench) { bb.enqueue(64, 1) }},
		{"enqueue/parallel-16-batch-100", func(bb *bench) { bb.enqueue(16, 100) }},
		{"enqueue/among-100000-subscriptions", func(bb *bench) { bb.among(100_000) }},
		{"enqueue/fan-out-10000", func(bb *bench) { bb.fanOut(10_000) }},
		{"claim/backlog-1000", func(bb *bench) { bb.claim(1000) }},
		{"claim/backlog-100000", func(bb *bench) { bb.claim(100_000) }},
		{"cycle/batch-100", func(bb *bench) { bb.cycle() }},
		{"list/newest", func(bb *bench) { bb.list(false) }},
		{"list/subscription", func(bb *bench) { bb.list(true) }},
		{"list/100000-subscriptions", func(bb *bench) { bb.listSubscriptions(100_000) }},
		{"stats/100000-pending", func(bb *bench) { bb.stats(100_000) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			st := open(b)
			b.Cleanup(func() { check.CloseStore(st) })
			bench.run(newBench(b, st))
		})
	}
}

// bench is one benchmark under way.
type bench struct {
	b       *testing.B
	ctx     context.Context
	store   store.Store
	payload json.RawMessage
}

func newBench(b *testing.B, s store.Store) *bench {
	return &bench{b: b, ctx: b.Context(), store: s,
		payload: json.RawMessage(`"` + strings.Repeat("x", 510) + `"`)}
}

// must ends the benchmark when a call failed. It may only be called from the benchmark's own
// goroutine.
func (bb *bench) must(err error) {
	if err != nil {
		bb.b.Fatal(err)
	}
}

// perSecond reports n deliveries in the time measured.
func (bb *bench) perSecond(n int) {
	bb.b.ReportMetric(float64(n)/bb.b.Elapsed().Seconds(), "deliveries/s")
}

// subscribe makes n subscriptions that want the type, many at a time, since a store may commit them
// together.
func (bb *bench) subscribe(n int, eventType string) {
	const at = 64
	errs := make([]error, at)
	var wg sync.WaitGroup
	for g := range at {
		wg.Go(func() {
			for i := g; i < n && errs[g] == nil; i += at {
				_, errs[g] = bb.store.CreateSubscription(bb.ctx, store.Subscription{
					ID:     fmt.Sprintf("5ab5c81b-%04x-4000-8000-%012x", len(eventType), i),
					URL:    "https://endpoint.example/webhook",
					Events: []string{eventType},
					Status: store.Subscribed,
				})
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		bb.must(err)
	}
}

// messages returns n new events.
func (bb *bench) messages(n int) ([]events.Event, error) {
	evs := make([]events.Event, n)
	for i := range evs {
		ev, err := events.New("message.created", bb.payload)
		if err != nil {
			return nil, err
		}
		evs[i] = ev
	}
	return evs, nil
}

// publish enqueues n events, so many a call.
func (bb *bench) publish(n, batch int) error {
	for done := 0; done < n; done += batch {
		evs, err := bb.messages(min(batch, n-done))
		if err != nil {
			return err
		}
		if err := bb.store.Enqueue(bb.ctx, evs...); err != nil {
			return err
		}
	}
	return nil
}

// enqueue measures publishers that enqueue batches, one after another each. Where there are
// several, each makes so many calls that their ends, when some wait for the last, weigh little.
func (bb *bench) enqueue(publishers, batch int) {
	bb.subscribe(1, "message.created")
	calls := 1
	if publishers > 1 {
		calls = 50
	}
	errs := make([]error, publishers)
	n := 0
	for bb.b.Loop() {
		var wg sync.WaitGroup
		for g := range publishers {
			wg.Go(func() { errs[g] = bb.publish(calls*batch, batch) })
		}
		wg.Wait()
		for _, err := range errs {
			bb.must(err)
		}
		n += publishers * calls * batch
	}
	bb.perSecond(n)
}

// among measures one publisher among subscriptions that want something else.
func (bb *bench) among(n int) {
	bb.subscribe(n, "nobody.publishes.it")
	bb.subscribe(1, "message.created")
	done := 0
	for bb.b.Loop() {
		bb.must(bb.publish(1, 1))
		done++
	}
	bb.perSecond(done)
}

// fanOut measures one event to many subscriptions.
func (bb *bench) fanOut(n int) {
	bb.subscribe(n, "message.created")
	done := 0
	for bb.b.Loop() {
		bb.must(bb.publish(1, 1))
		done += n
	}
	bb.perSecond(done)
}

// benchBatch is how many deliveries are claimed at a time.
const benchBatch = 100

// deliver claims a batch and finishes it, and returns how many there were.
func (bb *bench) deliver() int {
	claims, err := bb.store.Claim(bb.ctx, store.ClaimRequest{
		Max: benchBatch, Lease: time.Minute, PerSubscription: 2 * benchBatch,
		MaxUnhealthy: 2 * benchBatch, BreakerThreshold: 10,
	})
	bb.must(err)
	outcomes := make([]store.Outcome, len(claims.Claims))
	for i, cl := range claims.Claims {
		outcomes[i] = check.Delivered(cl)
	}
	_, err = bb.store.Finish(bb.ctx, outcomes...)
	bb.must(err)
	return len(outcomes)
}

// claim measures claiming and finishing in batches with so many pending at least.
func (bb *bench) claim(backlog int) {
	const refill = 10 * benchBatch
	bb.subscribe(1, "message.created")
	bb.must(bb.publish(backlog, 1000))
	n, stock := 0, 0
	for bb.b.Loop() {
		if stock < benchBatch {
			bb.b.StopTimer()
			bb.must(bb.publish(refill, refill))
			stock += refill
			bb.b.StartTimer()
		}
		took := bb.deliver()
		if took != benchBatch {
			bb.b.Fatalf("claims: got %d, want %d", took, benchBatch)
		}
		stock -= took
		n += took
	}
	bb.perSecond(n)
}

// cycle measures the whole life of deliveries: enqueued, claimed and finished in batches.
func (bb *bench) cycle() {
	bb.subscribe(1, "message.created")
	n := 0
	for bb.b.Loop() {
		bb.must(bb.publish(benchBatch, benchBatch))
		n += bb.deliver()
	}
	bb.perSecond(n)
}

// list measures following a listing of 100,000 deliveries to ten subscriptions, page by page, of
// all or of one.
func (bb *bench) list(ofOne bool) {
	bb.subscribe(10, "message.created")
	bb.must(bb.publish(10_000, 1000))
	q := store.DeliveryQuery{}
	if ofOne {
		page, err := bb.store.Subscriptions(bb.ctx, store.SubscriptionQuery{Limit: 1})
		bb.must(err)
		q.SubscriptionID = page.Items[0].ID
	}
	n := 0
	for bb.b.Loop() {
		page, err := bb.store.Deliveries(bb.ctx, q)
		bb.must(err)
		n += len(page.Items)
		q.Cursor = page.Next
	}
	bb.perSecond(n)
}

// listSubscriptions measures listing n subscriptions in one page.
func (bb *bench) listSubscriptions(n int) {
	bb.subscribe(n, "message.created")
	done := 0
	for bb.b.Loop() {
		page, err := bb.store.Subscriptions(bb.ctx, store.SubscriptionQuery{})
		bb.must(err)
		if len(page.Items) != n {
			bb.b.Fatalf("subscriptions: got %d, want %d", len(page.Items), n)
		}
		done += n
	}
	bb.b.ReportMetric(float64(done)/bb.b.Elapsed().Seconds(), "subscriptions/s")
}

// stats measures the figures of a store that has n deliveries pending, each of a subscription of
// its own.
func (bb *bench) stats(n int) {
	bb.subscribe(n, "message.created")
	bb.must(bb.publish(1, 1))
	for bb.b.Loop() {
		stats, err := bb.store.Stats(bb.ctx, "")
		bb.must(err)
		if stats.Pending != n {
			bb.b.Fatalf("pending: got %d, want %d", stats.Pending, n)
		}
	}
}
