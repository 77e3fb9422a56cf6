package listing

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// shown returns a page of deliveries as callers see it, with what those that are pending wait for.
// That is of the moment when it is asked, and may be of a later one than the records.
func (l *Lister) shown(
	ctx context.Context, found store.Page[scan.FoundDelivery], searched *page.Position,
) (p store.Page[store.Delivery], err error) {
	unknown := l.explain(&found, nil)
	if len(unknown) > 0 || searched != nil {
		states := make(map[uint64]state)
		err := l.db.Read(ctx, func(t *txn.Tx) error {
			for _, num := range unknown {
				sub, err := t.Subs.Get(num)
				if err != nil {
					sub = nil // its deliveries die when they are claimed
				}
				states[num] = state{memory.Withheld(sub), t.Subs.Health(num)}
			}
			if searched != nil {
				found.SearchedTo = timeNear(t, searched.Seq)
			}
			return nil
		})
		if err != nil {
			return p, err
		}
		l.explain(&found, states)
	}
	return page.Map(found, func(f *scan.FoundDelivery) store.Delivery { return f.Delivery }), nil
}

// state is what of a subscription's says why its deliveries wait.
type state struct {
	withheld store.Wait
	health   *store.Health
}

// explain says what pending deliveries of a page wait for, under the mutex once. It returns the
// subscriptions whose state the schedule does not have and that is not given either.
func (l *Lister) explain(
	found *store.Page[scan.FoundDelivery], states map[uint64]state,
) (unknown []uint64) {
	l.db.Lock()
	defer l.db.Unlock()
	now := l.db.Now()
	for i := range found.Items {
		f := &found.Items[i]
		if f.Delivery.State != store.Pending {
			continue
		}
		of, read := states[f.At.Num]
		q := l.db.Memory.Schedule.Sub(f.At.Num)
		switch {
		case q != nil && q.Known():
			of.withheld = memory.WithheldBy(q)
		case !read:
			unknown = append(unknown, f.At.Num)
			continue
		}
		f.Waiting.Withheld = of.withheld
		why, until := l.db.Memory.Schedule.Why(f.At.Num, f.Waiting, of.health, now)
		f.Delivery.Wait, f.Delivery.WaitUntil = why, record.AsTime(until)
	}
	return unknown
}

// maxDamaged is how many damaged events in a row timeNear passes over, so that its time is bounded.
const maxDamaged = 100

// timeNear returns when an event was enqueued; if it is gone or damaged, that of the next one, or
// else of the last; zero if there is none, or if maxDamaged in a row can't be read.
func timeNear(t *txn.Tx, seq uint64) time.Time {
	key := record.Key1(seq)
	c := t.Bucket(buckets.Events).Cursor()
	k, v := c.Seek(key[:])
	if k == nil {
		k, v = boltfile.LastBetween(c, nil, nil)
	}
	// A damaged event must not fail the page, which has passed over it.
	for n := 0; k != nil && n < maxDamaged; n++ {
		if e, err := record.DecodeEvent(k, v); err == nil {
			return record.AsTime(e.EnqueuedAt)
		}
		k, v = c.Next()
	}
	return time.Time{}
}
