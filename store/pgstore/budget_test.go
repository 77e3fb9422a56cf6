package pgstore_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// TestListingsKeepTheirBudget checks that searches that find nothing look at no more than their
// context gives them: they come to the end in more pages.
func TestListingsKeepTheirBudget(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	const subs, evs = 1200, 60
	createMany(t, pool, schema, subs)
	if _, err := pool.Exec(t.Context(), fmt.Sprintf(`INSERT INTO %s.events
		(id, type, tenant, key, time, enqueued_at, body, trace, recipients)
		SELECT 'event-' || n, 'message.created', '', '', now(), now(), '{}', '', '{1}'
		FROM generate_series(1, %d) n`, schema, evs)); err != nil {
		t.Fatal(err)
	}
	pages := func(list func(cursor string) (next string, err error)) (n int) {
		t.Helper()
		for cursor := ""; n == 0 || cursor != ""; n++ {
			var err error
			if cursor, err = list(cursor); err != nil {
				t.Fatal(err)
			}
		}
		return n
	}
	few := page.WithBudget(t.Context(), 10)
	for name, list := range map[string]func(ctx context.Context, cursor string) (string, error){
		"Deliveries": func(ctx context.Context, cursor string) (string, error) {
			found, err := s.Deliveries(ctx, store.DeliveryQuery{AnyTenant: true, EventType: "other",
				Cursor: cursor, Limit: 1})
			return found.Next, err
		},
		"Subscriptions": func(ctx context.Context, cursor string) (string, error) {
			found, err := s.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true,
				Text: "nothing has it", Cursor: cursor, Limit: 1})
			return found.Next, err
		},
	} {
		if n := pages(func(cursor string) (string, error) { return list(t.Context(), cursor) }); n != 1 {
			t.Errorf("pages of %s: got %d, want 1", name, n)
		}
		if n := pages(func(cursor string) (string, error) { return list(few, cursor) }); n < 3 {
			t.Errorf("pages of %s with a budget of 10: got %d, want at least 3", name, n)
		}
	}
}
