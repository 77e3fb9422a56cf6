package pgstore_test

import (
	"errors"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestFiguresOfAllReplicas checks that what several replicas have counted adds up in the figures of
// a subscription, of its tenant and of all, in which it stays when it is deleted.
func TestFiguresOfAllReplicas(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	first, second := open(t, pool, schema), open(t, pool, schema)
	first.KeepCounts()
	second.KeepCounts()
	want := func(when string, s *pgstore.Store, n int, of ...store.FiguresQuery) {
		t.Helper()
		for _, q := range of {
			for _, q.Per = range []store.Resolution{store.PerMinute, store.PerHour} {
				f, err := s.Figures(t.Context(), q)
				got := 0
				for i := range f.Sums {
					got += f.Sums[i].Delivered
				}
				if err != nil || got != n || len(f.Sums) != q.Per.Count() {
					t.Errorf("%s, %+v: got %d in %d figures, %v, want %d", when, q, got, len(f.Sums), err, n)
				}
			}
		}
	}
	of, all := store.FiguresQuery{SubscriptionID: "s"}, store.FiguresQuery{AnyTenant: true}
	finishSome(t, first, 3)
	want("before it is written", first, 3, of, store.FiguresQuery{}, all)
	first.FlushCounts()
	finishSome(t, first, 4)
	want("when some of it is written", first, 7, of, store.FiguresQuery{}, all)
	want("when some of it is written, by another replica", second, 3, of, store.FiguresQuery{}, all)
	first.FlushCounts()
	want("when all is written", second, 7, of, store.FiguresQuery{}, all)
	want("of another tenant", second, 0, store.FiguresQuery{Tenant: "another"})
	if err := first.DeleteSubscription(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if _, err := second.Figures(t.Context(), of); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of a deleted subscription: got %v, want store.ErrNotFound", err)
	}
	want("of the tenant of a deleted subscription", second, 0, store.FiguresQuery{})
	want("of all, when it is deleted", second, 7, all)
}
