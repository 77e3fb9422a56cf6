package memstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// pruneStep is how many deliveries and events one Prune removes.
const pruneStep = 1000

// Prune implements [store.History].
func (s *Store) Prune(ctx context.Context, r store.Retention) (more bool, err error) {
	if err := r.Validate(); err != nil {
		return false, fmt.Errorf("memstore: prune: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return false, fmt.Errorf("memstore: prune: %w", err)
	}
	defer s.mu.Unlock()
	left := pruneStep
	s.log = slices.DeleteFunc(s.log, func(e *event) bool {
		e.deliveries = slices.DeleteFunc(e.deliveries, func(d *delivery) bool {
			if left == 0 || !d.outlived(r, now) {
				return false
			}
			delete(d.sub.deliveries, e.num)
			left--
			return true
		})
		if left == 0 || len(e.deliveries) > 0 {
			return false
		}
		delete(s.events, e.id)
		left--
		return true
	})
	return left == 0, nil
}

// outlived reports whether d finished longer ago than it is to be kept.
func (d *delivery) outlived(r store.Retention, now time.Time) bool {
	keep := r.Failed
	switch d.state {
	case store.Pending:
		return false
	case store.Delivered:
		keep = r.Delivered
	}
	return keep > 0 && now.Sub(d.finished) > keep
}
