package pending

import (
	"bytes"
	"iter"
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// mapBuckets are buckets in memory.
type mapBuckets [BucketCount]struct {
	keys   []string // sorted
	values map[string][]byte
}

func (m *mapBuckets) Get(b Bucket, key []byte) []byte {
	v, ok := m[b].values[string(key)]
	if ok && v == nil {
		v = []byte{}
	}
	return v
}

func (m *mapBuckets) Put(b Bucket, key, value []byte) error {
	if m[b].values == nil {
		m[b].values = make(map[string][]byte)
	}
	if i, ok := slices.BinarySearch(m[b].keys, string(key)); !ok {
		m[b].keys = slices.Insert(m[b].keys, i, string(key))
	}
	m[b].values[string(key)] = value
	return nil
}

func (m *mapBuckets) Delete(b Bucket, key []byte) error {
	if i, ok := slices.BinarySearch(m[b].keys, string(key)); ok {
		m[b].keys = slices.Delete(m[b].keys, i, i+1)
		delete(m[b].values, string(key))
	}
	return nil
}

func (m *mapBuckets) Cursor(b Bucket) Cursor { return &mapCursor{m: m, b: b} }

type mapCursor struct {
	m *mapBuckets
	b Bucket
	i int
}

func (c *mapCursor) at() (k, v []byte) {
	if c.i < 0 || c.i >= len(c.m[c.b].keys) {
		return nil, nil
	}
	key := c.m[c.b].keys[c.i]
	return []byte(key), c.m[c.b].values[key]
}

func (c *mapCursor) Seek(key []byte) (k, v []byte) {
	c.i, _ = slices.BinarySearch(c.m[c.b].keys, string(key))
	return c.at()
}

func (c *mapCursor) Next() (k, v []byte) {
	c.i++
	return c.at()
}

func (c *mapCursor) LastBetween(low, high []byte) (k, v []byte) {
	c.i, _ = slices.BinarySearch(c.m[c.b].keys, string(high))
	c.i--
	if k, v = c.at(); k == nil || bytes.Compare(k, low) < 0 {
		return nil, nil
	}
	return k, v
}

func (c *mapCursor) Descend(low, high []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		k, v := c.LastBetween(low, high)
		for k != nil && yield(k, v) {
			k, v = c.LastBetween(low, k)
		}
	}
}

// erasing are the events that are being erased.
type erasing map[uint64]*record.Erasure

func (e erasing) Erasure(seq uint64) (*record.Erasure, error) { return e[seq], nil }

// changes collects what memory would learn.
type changes struct {
	deliveries []Change
	backlogs   map[uint64]record.Backlog
	edits      int
}

func (c *changes) DeliveryChanged(ch Change) { c.deliveries = append(c.deliveries, ch) }
func (c *changes) BacklogEdited()            { c.edits++ }
func (c *changes) BacklogChanged(num uint64, b *record.Backlog) {
	if c.backlogs == nil {
		c.backlogs = make(map[uint64]record.Backlog)
	}
	c.backlogs[num] = *b
}
