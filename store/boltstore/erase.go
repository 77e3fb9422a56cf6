package boltstore

import (
	"context"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// eraseReason is what pending deliveries of an erased event say.
const eraseReason = "erased"

// Erase implements [store.History].
func (s *Store) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err = q.Validate(); err == nil {
		err = s.resumeErasures(ctx)
	}
	if err == nil && q.EventID != "" {
		n, err = s.eraseOne(ctx, q.EventID)
	} else if err == nil {
		n, next, err = s.eraseTenant(ctx, &q)
	}
	if err != nil {
		return 0, "", fmt.Errorf("boltstore: erase: %w", err)
	}
	return n, next, nil
}

func (s *Store) eraseOne(ctx context.Context, id string) (n int, err error) {
	var marked []uint64
	err = s.submit(ctx, &op{run: func(t *txn) error {
		seq, err := t.eventNumber(id)
		if err == nil && seq == 0 {
			err = store.ErrNotFound
		}
		if err == nil {
			n, marked, err = t.erase([]uint64{seq})
		}
		return err
	}})
	if err == nil {
		err = s.finishErasures(ctx, marked)
	}
	return n, err
}

func (s *Store) finishErasures(ctx context.Context, marked []uint64) error {
	for _, seq := range marked {
		if err := s.finishErasure(ctx, seq); err != nil {
			return err
		}
	}
	return nil
}

// eraseTenant takes a step from the oldest event to the newest.
func (s *Store) eraseTenant(ctx context.Context, q *store.EraseQuery) (n int, next string, err error) {
	step, err := page.Collect[uint64](q.Cursor, page.Limit(q.Limit), store.DefaultDeliveryLimit)
	if err != nil {
		return 0, "", err
	}
	f := erasable{tenant: q.Tenant, step: step, from: step.Cursor().At.Num}
	for more := true; more; {
		if err := s.check(ctx); err != nil {
			return 0, "", err
		}
		err := s.read(ctx, func(t *txn) (err error) {
			more, err = f.look(t)
			return err
		})
		if err != nil {
			return 0, "", err
		}
	}
	seqs, next := step.Items(), step.Next(false)
	if len(seqs) == 0 {
		return 0, next, nil
	}
	var marked []uint64
	err = s.submit(ctx, &op{run: func(t *txn) (err error) {
		n, marked, err = t.erase(seqs)
		return err
	}})
	if err == nil {
		err = s.finishErasures(ctx, marked)
	}
	return n, next, err
}

// erasable looks for the events of a tenant.
type erasable struct {
	tenant string
	step   *page.Collector[uint64] // what it has found, oldest first

	from       uint64 // where it goes on
	deliveries int    // of what it has found, or a little more
}

// look looks on for a while, and reports whether it must go on. It passes over an event that can't
// be read.
func (f *erasable) look(t *txn) (more bool, err error) {
	c := t.bucket(log).Cursor()
	start := key1(f.from)
	k, v := c.Seek(start[:])
	for seen := 0; k != nil; seen++ {
		if f.from = number(k, 0); seen > 0 && t.store.now()-t.now > sliceTime {
			return true, nil
		}
		if full := f.see(k, v); full {
			return false, nil
		}
		k, v = c.Next()
	}
	return false, nil
}

// see looks at an event. It is full when the event is one too many.
func (f *erasable) see(k, v []byte) (full bool) {
	e, err := decodeEvent(k, v)
	if err != nil || e.tenant != f.tenant {
		return false
	}
	packed, err := decodeTargets(k, v)
	if err != nil {
		return false
	}
	at := page.Position{Num: f.from}
	first := f.deliveries == 0 // an event has a subscription at least
	if f.deliveries += len(packed); !first && f.deliveries > defaultEraseStep {
		f.step.Stop(at)
		return true
	}
	return !f.step.Add(at, &f.from)
}
