package boltstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// TestFilterLooksAtLittle has a filter that selects one subscription behind many: a page looks at a
// bounded number of records, and its cursor comes to it.
func TestFilterLooksAtLittle(t *testing.T) {
	s := create(t, nil)
	const many = page.Budget + page.Budget/5
	subscribeMany(t, s, many, "message.created")
	rare := store.Subscription{ID: "5ab5c81b-0000-4000-8000-000000000001", Name: "The rare one",
		URL: "https://endpoint.example/", Status: store.Subscribed}
	if _, err := s.CreateSubscription(t.Context(), rare); err != nil {
		t.Fatal(err)
	}
	// Two slices: what a page reads beyond its budget, and its look at what is before it.
	const most = page.Budget + page.Budget/10 + 2*256
	q, pages, found := store.SubscriptionQuery{Text: "rare", Limit: 10}, 0, 0
	for {
		before := s.Listed()
		got, err := s.Subscriptions(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if looked := s.Listed() - before; looked > most {
			t.Errorf("page %d looked at %d records, want at most %d", pages+1, looked, most)
		}
		pages, found = pages+1, found+len(got.Items)
		if q.Cursor = got.Next; q.Cursor == "" {
			break
		}
	}
	if found != 1 || pages != 2 {
		t.Errorf("found %d in %d pages, want one in two", found, pages)
	}
	for name, q := range map[string]store.SubscriptionQuery{
		"without a filter": {Limit: 10}, "a filter that selects all": {EventType: "message.created",
			Limit: 10},
	} {
		before := s.Listed()
		if _, err := s.Subscriptions(t.Context(), q); err != nil {
			t.Fatal(err)
		}
		if looked := s.Listed() - before; looked > 256 {
			t.Errorf("%s: a page looked at %d records, want a slice at most", name, looked)
		}
	}
}

// TestFilterReadsFewBytes has large records: a page that selects none reads a bounded number of
// bytes, not of records.
func TestFilterReadsFewBytes(t *testing.T) {
	s := create(t, nil)
	const size, many = 1 << 20, 60
	for i := range many {
		sub := store.Subscription{ID: fmt.Sprintf("5ab5c81b-0000-4000-8000-%012d", i),
			Name: strings.Repeat("x", size), URL: "https://endpoint.example/", Status: store.Subscribed}
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	before := s.Listed()
	got, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{Text: "nowhere"})
	if looked := s.Listed() - before; err != nil || got.Next == "" || looked > many/2 {
		t.Errorf("looked at %d records of a MiB, next page %t, %v; want at most %d and a cursor", looked,
			got.Next != "", err, many/2)
	}
}
