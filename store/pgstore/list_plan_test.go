package pgstore_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// listings are queries of a backlog's deliveries, with how many the first page has.
func (b *backlog) listings() map[string]struct {
	q     store.DeliveryQuery
	items int
} {
	const page = 50
	sub := b.sub.ID
	nothing := fmt.Sprintf("tenant-%d", b.rows/50)
	dead, pending := []store.State{store.Dead}, []store.State{store.Pending}
	all := map[string]struct {
		q     store.DeliveryQuery
		items int
	}{
		"a tenant with much":             {store.DeliveryQuery{}, page},
		"a tenant with little":           {store.DeliveryQuery{Tenant: "tenant-11"}, 1},
		"a tenant with nothing":          {store.DeliveryQuery{Tenant: nothing}, 0},
		"an unknown tenant":              {store.DeliveryQuery{Tenant: "nobody"}, 0},
		"a subscription":                 {store.DeliveryQuery{SubscriptionID: sub}, page},
		"dead":                           {store.DeliveryQuery{States: dead}, 1},
		"dead of a subscription":         {store.DeliveryQuery{SubscriptionID: sub, States: dead}, 1},
		"pending":                        {store.DeliveryQuery{States: pending}, page},
		"all":                            {store.DeliveryQuery{AnyTenant: true}, page},
		"a type":                         {store.DeliveryQuery{EventType: "rare.event"}, 0},
		"a type, of any tenant":          {store.DeliveryQuery{AnyTenant: true, EventType: "a.b"}, 0},
		"dead, of any tenant":            {store.DeliveryQuery{AnyTenant: true, States: dead}, 0},
		"an event":                       {store.DeliveryQuery{EventID: "old-1"}, 1},
		"a type of a subscription's":     {store.DeliveryQuery{SubscriptionID: sub, EventType: "a.b"}, 0},
		"a type of a tenant with little": {store.DeliveryQuery{Tenant: "tenant-11", EventType: "a.b"}, 0},
	}
	for name, l := range all {
		l.q.Limit = page
		all[name] = l
	}
	return all
}

// TestListingPlansDoNotGrow checks that the blocks that a page touches do not go by what is stored.
func TestListingPlansDoNotGrow(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	needServer(t)
	few, many := 10_000, 100_000
	if long {
		many = 1_000_000
	}
	touched := make(map[string][]int)
	for _, rows := range []int{few, many} {
		b := newBacklog(t, rows, rows/50)
		// The oldest has died, behind all that has been delivered since.
		// An early event is of the tenant whose subscription 12 waits to try it again.
		for table, change := range map[string]string{
			"deliveries": "state = 2 WHERE sub = 1 AND seq = 1",
			"events":     "tenant = 'tenant-11' WHERE seq = 12",
		} {
			_, err := b.pool.Exec(t.Context(),
				"UPDATE "+pgx.Identifier{b.schema, table}.Sanitize()+" SET "+change)
			if err != nil {
				t.Fatal(err)
			}
		}
		for name, l := range b.listings() {
			found, err := b.store.Deliveries(t.Context(), l.q)
			if err != nil || len(found.Items) != l.items {
				t.Errorf("%s with %d rows: got %d deliveries, %v, want %d", name, rows, len(found.Items), err,
					l.items)
			}
			statement, args := b.store.ListingStatement(&l.q)
			p := b.explain(t, statement, args)
			touched[name] = append(touched[name], p.Hit+p.Read)
			for _, table := range p.scans() {
				if !slices.Contains(bounded, table) {
					t.Errorf("%s with %d rows: reads all of %s, want only %v read so", name, rows, table,
						bounded)
				}
			}
		}
	}
	for name, n := range touched {
		// An index may be a level or two higher, which each delivery that is looked at pays.
		if n[1] > 2*n[0]+200 {
			t.Errorf("%s: touches %d blocks with %d rows and %d with %d, want about as many", name, n[0],
				few, n[1], many)
		}
		t.Logf("%s: %d blocks with %d rows, %d with %d", name, n[0], few, n[1], many)
	}
}
