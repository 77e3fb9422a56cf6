package boltstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// The file has a record for each bucket of counts and subscription, by the bucket first, so that
// those that are past are at the front.

func countKey(k rollup.Key) [num2]byte { return key2(uint64(k.At), k.Sub) }

func encodeBucket(key []byte, b *rollup.Bucket) []byte {
	e := newEncoder(32)
	e.b = b.Append(e.b)
	return e.seal(key)
}

// decodeBucket reads counts. If there is no value, there are none.
func decodeBucket(key, v []byte) (rollup.Bucket, error) {
	if v == nil {
		return rollup.Bucket{}, nil
	}
	d, err := unseal(key, v)
	if err != nil {
		return rollup.Bucket{}, fmt.Errorf("counts of subscription %d: %w", number(key, 1), err)
	}
	b, err := rollup.Parse(d.b)
	if err != nil {
		return rollup.Bucket{}, fmt.Errorf("counts of subscription %d: %w: %w",
			number(key, 1), store.ErrCorrupt, err)
	}
	return b, nil
}

// storedCounts returns the stored counts of a subscription. Like a health, what can't be read is
// nothing.
func (t *txn) storedCounts(k rollup.Key) rollup.Bucket {
	key := countKey(k)
	b, err := decodeBucket(key[:], t.get(counts, key[:]))
	if err != nil {
		return rollup.Bucket{}
	}
	return b
}

// addCounts adds to the stored counts. Those of subscriptions that are gone are dropped.
func (t *txn) addCounts(rows []rollup.Row) error {
	for _, row := range rows {
		if row.At < 0 || !t.alive(row.Sub) {
			continue
		}
		sum := t.storedCounts(row.Key)
		sum.Merge(row.Counts)
		key := countKey(row.Key)
		if err := t.put(counts, key[:], encodeBucket(key[:], &sum)); err != nil {
			return err
		}
	}
	return nil
}

// pastCounts returns at most n keys of counts that are past, oldest first.
func (t *txn) pastCounts(n int) (keys [][]byte) {
	first := rollup.First(asTime(t.now), rollup.Day)
	c := t.bucket(counts).Cursor()
	for k, _ := c.First(); k != nil && int64(number(k, 0)) < first && len(keys) < n; k, _ = c.Next() {
		keys = append(keys, slices.Clone(k))
	}
	return keys
}

// removeCounts removes the counts of a subscription, but for those that are past.
func (t *txn) removeCounts(num uint64) error {
	now := asTime(t.now)
	for at := rollup.First(now, rollup.Day); at <= rollup.At(now); at++ {
		key := countKey(rollup.Key{Sub: num, At: at})
		if t.get(counts, key[:]) == nil {
			continue
		}
		if err := t.remove(counts, key[:]); err != nil {
			return err
		}
	}
	return nil
}

// window adds up what memory and the file have of a subscription.
func (s *Store) window(ctx context.Context, num uint64, now time.Time) (*rollup.Window, error) {
	for {
		w := rollup.NewWindow(now)
		all := false
		err := s.read(ctx, func(t *txn) error {
			version, err := t.metaNumber(metaCounts)
			if err != nil {
				return err
			}
			if all = s.counts.Missing(num, version, w); !all {
				return nil // a batch was written since the read began, and memory has dropped it
			}
			first, last := w.Range()
			for at := first; at <= last; at++ {
				b := t.storedCounts(rollup.Key{Sub: num, At: at})
				w.Add(at, &b)
			}
			return nil
		})
		if all || err != nil {
			return w, err
		}
	}
}
