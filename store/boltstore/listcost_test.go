package boltstore_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
)

// TestListingCopiesLittle lists many subscriptions in one page and counts the bytes that it
// allocates: copies are what a listing costs.
func TestListingCopiesLittle(t *testing.T) {
	const n, most = 5000, 900 // bytes for each; the record that the caller gets has some 400
	s := create(t, nil)
	for range n / 250 {
		subscribeMany(t, s, 250, "message.created")
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	page, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{})
	runtime.ReadMemStats(&after)
	if err != nil || len(page.Items) != n || page.Total != n || page.Next != "" {
		t.Fatalf("Subscriptions: got %d of %d, next %q, %v, want %d", len(page.Items), page.Total,
			page.Next, err, n)
	}
	got := (after.TotalAlloc - before.TotalAlloc) / n
	t.Logf("%d bytes and %d allocations for each", got, (after.Mallocs-before.Mallocs)/n)
	if got > most {
		t.Errorf("a listing allocated %d bytes for each subscription, want at most %d", got, most)
	}
}

// TestStatsReadsLittle has deliveries of many subscriptions wait for a retry, and counts the
// transactions that Stats begins: it reads what is oldest once, and then only of those that
// changed.
func TestStatsReadsLittle(t *testing.T) {
	const n = 1000
	s := create(t, nil)
	subscribeMany(t, s, n, "message.created")
	publish(t, s, "old", 1)
	finish(t, s, claim(t, s, n), store.Pending, time.Hour)
	publish(t, s, "new", 1)
	q := store.DeliveryQuery{EventID: "old-0", Limit: 1}
	page, err := s.Deliveries(t.Context(), q)
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("Deliveries: got %d, %v", len(page.Items), err)
	}
	// the first is bounded by time, and takes far fewer as a rule
	for i, most := range []int{n / 2, 5} {
		before := s.DB().Stats()
		stats, err := s.Stats(t.Context(), "")
		after := s.DB().Stats()
		if err != nil || stats.Pending != 2*n ||
			!stats.OldestPending.Equal(page.Items[0].CreatedAt) {
			t.Errorf("Stats: got %+v, %v, want %d pending since %v", stats, err, 2*n,
				page.Items[0].CreatedAt)
		}
		if got := after.TxN - before.TxN; got > most {
			t.Errorf("call %d of Stats began %d transactions, want at most %d", i+1, got, most)
		}
	}
	want := func(after string, asked int) {
		t.Helper()
		if got := s.AskedByStats(); got != asked {
			t.Errorf("after %s Stats asks for %d subscriptions, want %d", after, got, asked)
		}
		verify(t, s)
	}
	want("Stats", 0)
	finish(t, s, claim(t, s, 1), store.Delivered, 0)
	want("a delivery that is not the oldest of its subscription", 0)
	if r, err := s.Requeue(t.Context(), store.DeliveryQuery{EventID: "old-0",
		States: store.States(), Limit: 1}); r.Requeued != 1 || err != nil {
		t.Fatalf("Requeue: got %+v, %v, want 1", r, err)
	}
	want("one is due earlier", 0)
	for _, c := range claim(t, s, n+1) {
		if c.EventID == "old-0" {
			finish(t, s, []store.Claim{c}, store.Delivered, 0)
		}
	}
	want("the oldest of a subscription has ended", 0) // and nothing else of it has a row
	pending(t, s)
	want("Stats", 0)
}
