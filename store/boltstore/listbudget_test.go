package boltstore_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
	"github.com/outhook/outhook/store/internal/page"
)

// ownPage is how many records a page of pageOf deliveries may look at that an index has: those that
// it returns, what its steps have read beyond them, and the log, for a first look.
const (
	pageOf  = 50
	ownPage = 600
)

// listingStore has many delivered deliveries of one tenant, and among them few of another, and few
// that are dead, pending, or waiting for a retry.
func listingStore(t *testing.T) *boltstore.Store {
	t.Helper()
	const many = 3 * page.Budget
	s := create(t, nil)
	subscribeMany(t, s, 2, "message.created")
	small := store.Subscription{
		ID: "5ab5c81b-0000-4000-8000-000000000001", Tenant: "small", URL: "https://endpoint.example/",
		Status: store.Subscribed,
	}
	idle := small
	idle.ID, idle.Tenant = "5ab5c81b-0000-4000-8000-000000000002", "idle"
	for _, sub := range []store.Subscription{small, idle} {
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 4 {
		ev := Event(fmt.Sprintf("small-%d", i))
		ev.Tenant = "small"
		if err := s.Enqueue(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, s, claim(t, s, 2), store.Dead, 0)
	finish(t, s, claim(t, s, 1), store.Pending, time.Hour)
	publish(t, s, "much", many/2)
	for {
		claims := claim(t, s, 1000)
		claims = slices.DeleteFunc(claims, func(c store.Claim) bool { return c.Tenant == "small" })
		if len(claims) == 0 {
			return s
		}
		finish(t, s, claims, store.Delivered, 0)
	}
}

// TestListingsLookAtLittle counts the records that a page looks at: by tenant, subscription or
// state those that it returns and a few, and with any other filter a bounded number.
func TestListingsLookAtLittle(t *testing.T) {
	s := listingStore(t)
	subs, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{})
	if err != nil {
		t.Fatal(err)
	}
	big := subs.Items[0].ID
	const anyPage = page.Budget + page.Budget/10 + ownPage
	in := func(state store.State) store.DeliveryQuery {
		return store.DeliveryQuery{AnyTenant: true, States: []store.State{state}}
	}
	deadOf := func(tenant, sub string) store.DeliveryQuery {
		q := in(store.Dead)
		q.AnyTenant, q.Tenant, q.SubscriptionID = false, tenant, sub
		return q
	}
	rare := func(q store.DeliveryQuery) store.DeliveryQuery {
		q.EventType = "rare.event"
		return q
	}
	anyTenant, count := store.DeliveryQuery{AnyTenant: true}, store.DeliveryQuery{Count: true}
	for name, tc := range map[string]struct {
		q     store.DeliveryQuery
		items int
		most  int
	}{
		"a tenant with much":       {store.DeliveryQuery{}, pageOf, ownPage},
		"a tenant with little":     {store.DeliveryQuery{Tenant: "small"}, 4, ownPage},
		"a tenant with nothing":    {store.DeliveryQuery{Tenant: "idle"}, 0, ownPage},
		"an unknown tenant":        {store.DeliveryQuery{Tenant: "nobody"}, 0, ownPage},
		"a subscription":           {store.DeliveryQuery{SubscriptionID: big}, pageOf, ownPage},
		"dead":                     {deadOf("small", ""), 2, ownPage},
		"dead, of any tenant":      {in(store.Dead), 2, ownPage},
		"pending, of any tenant":   {in(store.Pending), 2, ownPage},
		"canceled, of any tenant":  {in(store.Canceled), 0, ownPage},
		"dead of a subscription":   {deadOf("", big), 0, ownPage},
		"a rare type":              {rare(store.DeliveryQuery{}), 0, anyPage},
		"a rare type, any tenant":  {rare(anyTenant), 0, anyPage},
		"a rare type, and a count": {rare(count), 0, 2 * anyPage},
		"all, and a count":         {count, pageOf, store.MaxTotal + ownPage},
		"before all":               {store.DeliveryQuery{Until: time.Unix(1e9, 0)}, 0, ownPage},
	} {
		tc.q.Limit = pageOf
		before, reads := s.Listed(), s.Reads()
		found, err := s.Deliveries(t.Context(), tc.q)
		looked := s.Listed() - before
		if err != nil || len(found.Items) != tc.items {
			t.Errorf("%s: got %d deliveries, %v, want %d", name, len(found.Items), err, tc.items)
		}
		if looked > tc.most {
			t.Errorf("%s: it has looked at %d records, want at most %d", name, looked, tc.most)
		}
		if tc.items == 0 && tc.q.EventType != "" && found.Next == "" {
			t.Errorf("%s: there is no cursor to go on from", name)
		}
		t.Logf("%s: %d records in %d transactions", name, looked, s.Reads()-reads)
	}
}

// TestStepsLookAtLittle has a replay, and an erasure, that find nothing: a step of either looks at
// a bounded number of records, and has a cursor.
func TestStepsLookAtLittle(t *testing.T) {
	s := listingStore(t)
	q := store.DeliveryQuery{EventType: "rare.event"}
	steps := 0
	for q.Cursor != "" || steps == 0 {
		before := s.Listed()
		r, err := s.Requeue(t.Context(), q)
		if looked := s.Listed() - before; err != nil || r.Requeued != 0 || looked > page.Budget+ownPage {
			t.Fatalf("Requeue: got %+v, %v, having looked at %d records", r, err, looked)
		}
		steps++
		q.Cursor = r.Next
	}
	if steps < 3 {
		t.Errorf("Requeue took %d steps, want 3 at least", steps)
	}
	if n, _ := eraseTenant(t, s, "idle"); n != 0 {
		t.Errorf("Erase: got %d, want none", n)
	}
	// What was published for a deleted subscription is in the log alone until Prune comes.
	err := s.DeleteSubscription(t.Context(), "5ab5c81b-0000-4000-8000-000000000002") // the idle one
	if err != nil {
		t.Fatal(err)
	}
	e, steps := store.EraseQuery{Tenant: "idle"}, 0
	for e.Cursor != "" || steps == 0 {
		before := s.Listed()
		n, next, err := s.Erase(t.Context(), e)
		if looked := s.Listed() - before; err != nil || n != 0 || looked > page.Budget+ownPage {
			t.Fatalf("Erase: got %d, %v, want none, having looked at %d records", n, err, looked)
		}
		steps++
		e.Cursor = next
	}
	if steps < 3 {
		t.Errorf("Erase took %d steps, want 3 at least", steps)
	}
}

// TestRequeueSinceLooksAtLittle wants a replay of what was enqueued since some time to begin there,
// and not with the oldest event of all.
func TestRequeueSinceLooksAtLittle(t *testing.T) {
	start := time.Now()
	now := start
	s := create(t, boltstore.WithWall(func() time.Time { return now }))
	id := subscribe(t, s)
	deliver := func() {
		t.Helper()
		for claims := claim(t, s, 1000); len(claims) > 0; claims = claim(t, s, 1000) {
			finish(t, s, claims, store.Delivered, 0)
		}
	}
	publish(t, s, "old", 2*page.Budget)
	deliver()
	now = start.Add(time.Hour)
	publish(t, s, "young", 3)
	since := start.Add(30 * time.Minute)
	for name, q := range map[string]store.DeliveryQuery{
		"any tenant":     {AnyTenant: true, Since: since},
		"a tenant":       {Since: since},
		"a subscription": {SubscriptionID: id, Since: since},
		"a state":        {AnyTenant: true, Since: since, States: []store.State{store.Delivered}},
		"a rare type":    {AnyTenant: true, Since: since, EventType: "rare.event"},
	} {
		deliver()
		before := s.Listed()
		r, err := s.Requeue(t.Context(), q)
		want := 3
		if q.EventType != "" {
			want = 0
		}
		if err != nil || r.Requeued != want || r.Next != "" {
			t.Errorf("%s: got %+v, %v, want %d in one step", name, r, err, want)
		}
		if looked := s.Listed() - before; looked > ownPage {
			t.Errorf("%s: it has looked at %d records, want at most %d", name, looked, ownPage)
		}
	}
}
