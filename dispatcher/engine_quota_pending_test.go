package dispatcher_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

func TestQuotaOfPending(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, &dispatcher.Options{Quota: quotas(dispatcher.Quota{Pending: 5})})
		e.subscribeFor("small", nthURL(1))
		e.subscribeFor("small", nthURL(2))
		e.subscribeFor("other", nthURL(3))
		for i := range 3 { // two deliveries each: before the last one there are 4
			if err := e.publishFor("small", 1); err != nil {
				t.Fatalf("event %d: %v", i+1, err)
			}
		}
		quotaError(t, "a fourth", e.publishFor("small", 1), "small", dispatcher.QuotaPending, 5)
		if err := e.publishFor("other", 20); err != nil {
			t.Errorf("another tenant's: %v", err)
		}
		mixed := make([]events.Event, 2)
		for i, tenant := range []string{"other", "small"} {
			mixed[i], _ = events.New("order.mixed", i)
			mixed[i].Tenant = tenant
		}
		quotaError(t, "one of each", e.Publish(t.Context(), mixed...), "small",
			dispatcher.QuotaPending, 5)
		if n := e.states()[store.Pending]; n != 26 {
			t.Errorf("%d deliveries are pending, want 26: what was refused is not stored", n)
		}
		e.run()
		pass(time.Second)
		if err := e.publishFor("small", 1); err != nil {
			t.Errorf("once all is delivered: %v", err)
		}
	})
}

// TestQuotaOfPendingByDefault shows that there is none, and that Publish asks the store for nothing
// then.
func TestQuotaOfPendingByDefault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &pendingCounter{Store: memstore.New()}
		e := newEngine(t, s, nil)
		e.subscribe(nthURL(1))
		for range 50 {
			if err := e.publishFor("", 100); err != nil {
				t.Fatal(err)
			}
		}
		if s.counted != 0 {
			t.Errorf("Publish counted what is pending %d times, want never without a quota",
				s.counted)
		}
	})
}

type pendingCounter struct {
	store.Store
	counted int
}

func (s *pendingCounter) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	s.counted++
	return s.Store.CountPending(ctx, tenant, limit)
}
