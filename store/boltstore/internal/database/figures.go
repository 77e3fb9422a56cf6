package database

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/scan"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/rollup"
)

// unwrittenBuckets is how many of the newest buckets may have counts that are in memory alone: that
// of now, the one before, and one more if commits fail for a while.
const unwrittenBuckets = 3

// Figures adds up what memory and the file have. It reads the newest buckets with what memory has
// in one transaction, see Window, and the older ones in others: batches that are written meanwhile
// are of the newest.
func (a *attemptCounts) Figures(
	ctx context.Context, q *store.FiguresQuery,
) (store.Figures, error) {
	var f *figuresRead
	for f == nil || !f.begun {
		f = &figuresRead{
			buffer: a.buffer, query: q,
			series: rollup.NewSeries(record.AsTime(a.db.Now()), q.Per),
		}
		if err := a.db.Read(ctx, f.begin); err != nil {
			return store.Figures{}, err
		}
	}
	for f.next >= f.first {
		if err := a.db.ReadStep(ctx, f.step); err != nil {
			return store.Figures{}, err
		}
	}
	return f.series.Figures(), nil
}

// figuresRead is one call of Figures under way.
type figuresRead struct {
	buffer *rollup.Buffer
	query  *store.FiguresQuery
	series *rollup.Series

	begun       bool
	nums        []uint64 // the subscriptions that are added up, in ascending order
	first, next int64    // the first bucket, and the one that is read next; it goes back in time
}

// begin finds the subscriptions, and reads what may be in memory alone. begun stays false if a
// batch was written since the read began, and memory has dropped it.
func (f *figuresRead) begin(t *txn.Tx) (err error) {
	if f.nums, err = subscriptionsOf(t, f.query); err != nil {
		return err
	}
	version, err := t.Counts.Version()
	if err != nil {
		return err
	}
	if f.begun = f.buffer.Missing(version, f.series, f.nums...); !f.begun {
		return nil
	}
	f.first, f.next = f.series.Range()
	for range unwrittenBuckets {
		f.read(t)
	}
	return nil
}

// step reads on for a while.
func (f *figuresRead) step(t *txn.Tx) error {
	f.read(t)
	for f.next >= f.first && !t.IsSlow() {
		f.read(t)
	}
	return nil
}

// read reads the next bucket.
func (f *figuresRead) read(t *txn.Tx) {
	t.Counts.Sum(f.next, f.nums, f.series)
	f.next--
}

// subscriptionsOf returns the numbers of those that a query is about.
func subscriptionsOf(t *txn.Tx, q *store.FiguresQuery) ([]uint64, error) {
	switch {
	case q.SubscriptionID != "":
		num, err := t.Subs.Number(q.SubscriptionID)
		if err == nil && num == 0 {
			err = store.ErrNotFound
		}
		return []uint64{num}, err
	case q.AnyTenant:
		return []uint64{rollup.All}, nil
	}
	n, err := t.Subs.CountOf(&store.SubscriptionQuery{Tenant: q.Tenant})
	return scan.TenantNumbers(t, q.Tenant, int(n)), err
}
