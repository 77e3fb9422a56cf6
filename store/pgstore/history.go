package pgstore

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// Deliveries implements [store.History].
func (s *Store) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	return call(ctx, s, "deliveries", q.Validate(), func() (store.Page[store.Delivery], error) {
		return inClear(s, &q.Cursor, func() (store.Page[store.Delivery], error) {
			return s.history.Deliveries(ctx, &q)
		})
	})
}

// inClear has do read a page with its cursor in clear, and seals those that it returns.
func inClear[T any](
	s *Store, cursor *string, do func() (store.Page[T], error),
) (found store.Page[T], err error) {
	cursors := s.cursors.Load()
	if *cursor, err = cursors.Open(*cursor); err == nil {
		found, err = do()
	}
	return page.SealPage(cursors, found), err
}

// Event implements [store.History].
func (s *Store) Event(ctx context.Context, tenant, eventID string) (store.StoredEvent, error) {
	return call(ctx, s, "event", nil, func() (store.StoredEvent, error) {
		return s.history.Event(ctx, tenant, eventID)
	})
}

// Attempts implements [store.History].
func (s *Store) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
	return call(ctx, s, "attempts", nil, func() ([]store.Attempt, error) {
		return s.history.Attempts(ctx, subscriptionID, eventID)
	})
}

// Stats implements [store.History].
//
// InFlight is what this replica has leased. Pending is counted: that takes about a tenth of a
// second for a million that wait for a retry or behind others.
func (s *Store) Stats(ctx context.Context, subscriptionID string) (store.Stats, error) {
	return call(ctx, s, "stats", nil, func() (store.Stats, error) {
		stats, err := s.history.Stats(ctx, subscriptionID)
		if subscriptionID == "" {
			stats.Unwanted = s.publisher.Unwanted.Counts()
		}
		return stats, err
	})
}

// Figures implements [store.History].
//
// What other replicas have counted in the last ten seconds may be missing.
func (s *Store) Figures(ctx context.Context, q store.FiguresQuery) (store.Figures, error) {
	return call(ctx, s, "figures", q.Validate(), func() (store.Figures, error) {
		return s.history.Figures(ctx, &q)
	})
}

// CountPending implements [store.History].
//
// It counts rows: those of the tenant that wait for a retry or behind others, until there are limit
// of them. What was not attempted yet this replica knows of its own shares; of those of other
// replicas it reads the tenant's events since the low marks, which rise every ten seconds.
func (s *Store) CountPending(ctx context.Context, tenant string, limit int) (int, error) {
	return call(ctx, s, "count pending", nil, func() (int, error) {
		return s.history.CountPending(ctx, tenant, limit)
	})
}

// Requeue implements [store.History].
//
// Of what another replica has leased, what waits for a retry may be made due and counted: its
// outcome counts all the same.
func (s *Store) Requeue(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult, error) {
	return call(ctx, s, "requeue", q.Validate(), func() (result store.RequeueResult, err error) {
		cursors := s.cursors.Load()
		if q.Cursor, err = cursors.Open(q.Cursor); err == nil {
			result, err = s.history.Requeue(ctx, q)
		}
		result.Next = cursors.Seal(result.Next)
		return result, err
	})
}

// Recovered implements [store.History].
func (s *Store) Recovered(ctx context.Context, subscriptionID string) error {
	return s.run(ctx, "recovered", func() error { return s.history.Recovered(ctx, subscriptionID) })
}

// ProbeNow implements [store.History].
func (s *Store) ProbeNow(ctx context.Context, subscriptionIDs ...string) error {
	return s.run(ctx, "probe now", func() error { return s.history.ProbeNow(ctx, subscriptionIDs) })
}

// Erase implements [store.History].
//
// It goes through the events in their order, and a step may change fewer than it may, or none. What
// was removed is returned no more once Erase has returned. Its bytes are overwritten some time
// after VACUUM has been to the tables, which autovacuum sees to, and stay in the write-ahead log
// and in backups for as long as those are kept.
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	n, err = call(ctx, s, "erase", q.Validate(), func() (n int, err error) {
		cursors := s.cursors.Load()
		if q.EventID == "" { // or else it is ignored
			q.Cursor, err = cursors.Open(q.Cursor)
		}
		if err == nil {
			n, next, err = s.history.Erase(ctx, q)
		}
		next = cursors.Seal(next)
		return n, err
	})
	if err != nil {
		next = ""
	}
	return n, next, err
}

// Prune implements [store.History].
//
// One replica at a time prunes: to another it says that there is nothing to do.
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	return call(ctx, s, "prune", r.Validate(), func() (bool, error) {
		return s.history.Prune(ctx, r)
	})
}
