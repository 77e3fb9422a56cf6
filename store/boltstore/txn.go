package boltstore

import (
	"bytes"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// bucketID names a bucket of the store.
type bucketID int

const (
	meta       bucketID = iota // names → what there is once, see the keys below
	subs                       // number → subscription
	subIDs                     // ID → number
	tenants                    // tenant, number → nothing; tenant → how many
	wants                      // tenant, pattern, number → since when, and whether disabled
	log                        // sequence number → event
	eventIDs                   // ID → sequence number
	deliveries                 // subscription, event → row
	index                      // subscription, due, event → nothing: rows that are pending and not behind
	keyed                      // subscription, hash of the key, event → nothing: pending deliveries that have a key
	chunks                     // subscription, first event → events
	backlogs                   // subscription → backlog
	healths                    // subscription → health
	bucketCount
)

var bucketNames = [bucketCount]string{
	"meta", "subs", "subids", "tenants", "wants", "events", "ids", "deliveries", "due", "keyed", "chunks", "backlogs",
	"health",
}

// The keys of meta.
const (
	metaFormat    = "format"    // the version of all this
	metaWatermark = "watermark" // see spill.go
	metaRising    = "rising"    // where the watermark is going, or is
	metaCount     = "count"     // how many subscriptions there are
	metaOrphans   = "orphans"   // 1 when there may be events whose subscriptions are all deleted
)

// format is the version that this package reads and writes.
const format = 1

// fill is how full the pages of an append-only bucket are packed.
const fill = 0.95

// txn is a transaction of the file, with what is read and written through it. What hooks has is done once it is
// committed, under the store's mutex.
type txn struct {
	store *Store
	tx    *bolt.Tx
	top   *bolt.Bucket
	open  [bucketCount]*bolt.Bucket
	seek  [bucketCount]*bolt.Cursor // for get: a cursor that is used again allocates nothing
	now   int64

	w      uint64 // the watermark
	rising uint64 // where it is going, or is

	backlogs map[uint64]*backlog // read, and to be written when changed
	healths  map[uint64]health
	subs     map[uint64]*store.Subscription // nil for one that is not there
	ids      map[uint64]string              // of subscriptions
	changed  struct{ backlogs, healths map[uint64]bool }
	rowed    []rowed // deliveries that got a row

	hooks []func()
	wrote bool // since it was last reset
}

// rowed names a delivery.
type rowed struct{ num, seq uint64 }

// begin wraps a bbolt transaction.
func (s *Store) begin(tx *bolt.Tx) (*txn, error) {
	t := &txn{store: s, tx: tx, now: now(), top: tx.Bucket(s.bucket)}
	if t.top == nil {
		return nil, fmt.Errorf("%w: the bucket %q is gone", store.ErrCorrupt, s.bucket)
	}
	var err error
	if t.w, err = t.metaNumber(metaWatermark); err == nil {
		t.rising, err = t.metaNumber(metaRising)
	}
	return t, err
}

// bucket returns one of the store's buckets.
func (t *txn) bucket(id bucketID) *bolt.Bucket {
	b := t.open[id]
	if b == nil {
		if b = t.top.Bucket([]byte(bucketNames[id])); b == nil {
			panic(fmt.Sprintf("the bucket %q is gone", bucketNames[id])) // becomes ErrCorrupt, like bbolt's own panics
		}
		b.FillPercent = fill
		t.open[id] = b
	}
	return b
}

// get returns the value of a key, nil when there is none. It is the file's memory.
func (t *txn) get(id bucketID, key []byte) []byte {
	c := t.seek[id]
	if c == nil {
		c = t.bucket(id).Cursor()
		t.seek[id] = c
	}
	if k, v := c.Seek(key); bytes.Equal(k, key) {
		return v
	}
	return nil
}

// put stores a value, which must stay as it is.
func (t *txn) put(id bucketID, key, value []byte) error {
	t.wrote = true
	return t.bucket(id).Put(key, value)
}

// remove deletes a key, if it is there.
func (t *txn) remove(id bucketID, key []byte) error {
	t.wrote = true
	return t.bucket(id).Delete(key)
}

// nextSeq returns the next sequence number.
func (t *txn) nextSeq() (uint64, error) {
	t.wrote = true
	return t.bucket(log).NextSequence()
}

// after lets f run when the transaction is committed, under the store's mutex.
func (t *txn) after(f func()) { t.hooks = append(t.hooks, f) }

// putNumber and number store and read a value that is a number; a missing one is 0.
func (t *txn) putNumber(id bucketID, key []byte, n uint64) error {
	e := newEncoder(10)
	e.uint(n)
	return t.put(id, key, e.seal(key))
}

func (t *txn) number(id bucketID, key []byte) (uint64, error) {
	v := t.get(id, key)
	if v == nil {
		return 0, nil
	}
	d, err := unseal(key, v)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", bucketNames[id], err)
	}
	n := d.uint()
	return n, d.end()
}

func (t *txn) metaNumber(name string) (uint64, error) { return t.number(meta, []byte(name)) }

func (t *txn) putMetaNumber(name string, n uint64) error { return t.putNumber(meta, []byte(name), n) }

// backlog returns the backlog of a subscription, to be read.
func (t *txn) backlog(num uint64) (*backlog, error) {
	if b := t.backlogs[num]; b != nil {
		return b, nil
	}
	key := key1(num)
	b, err := decodeBacklog(key[:], t.get(backlogs, key[:]))
	if err != nil {
		return nil, err
	}
	t.cacheBacklog(num, b)
	return b, nil
}

func (t *txn) cacheBacklog(num uint64, b *backlog) {
	if t.backlogs == nil {
		t.backlogs = make(map[uint64]*backlog)
	}
	t.backlogs[num] = b
}

// editBacklog returns the backlog of a subscription, to be changed.
func (t *txn) editBacklog(num uint64) (*backlog, error) {
	b, err := t.backlog(num)
	if err != nil {
		return nil, err
	}
	t.keepBacklog(num, b)
	return b, nil
}

// keepBacklog makes b the backlog of a subscription.
func (t *txn) keepBacklog(num uint64, b *backlog) {
	t.cacheBacklog(num, b)
	if t.changed.backlogs == nil {
		t.changed.backlogs = make(map[uint64]bool)
	}
	t.changed.backlogs[num] = true
	t.wrote = true
}

// health returns the health of a subscription. One that can't be read is the zero one: it is a memory, no promise.
func (t *txn) health(num uint64) health {
	if h, ok := t.healths[num]; ok {
		return h
	}
	key := key1(num)
	h, err := decodeHealth(key[:], t.get(healths, key[:]))
	if err != nil {
		h = health{}
	}
	if t.healths == nil {
		t.healths = make(map[uint64]health)
	}
	t.healths[num] = h
	return h
}

// setHealth changes the health of a subscription.
func (t *txn) setHealth(num uint64, h health) {
	if t.health(num) == h {
		return
	}
	t.healths[num] = h
	if t.changed.healths == nil {
		t.changed.healths = make(map[uint64]bool)
	}
	t.changed.healths[num] = true
	t.wrote = true
	t.after(func() { t.store.setHealth(num, h) })
}

// flush writes what was changed of backlogs and healths. It must come last.
func (t *txn) flush() error {
	for num := range t.changed.backlogs {
		key, b := key1(num), t.backlogs[num]
		if err := t.putOrRemove(backlogs, key[:], b.empty(), b.encode); err != nil {
			return err
		}
		t.after(func() { t.store.setBacklog(num, b) })
	}
	for num := range t.changed.healths {
		key, h := key1(num), t.healths[num]
		if err := t.putOrRemove(healths, key[:], h == health{}, h.encode); err != nil {
			return err
		}
	}
	t.changed.backlogs, t.changed.healths = nil, nil
	return nil
}

func (t *txn) putOrRemove(id bucketID, key []byte, empty bool, encode func(key []byte) []byte) error {
	if empty {
		return t.remove(id, key)
	}
	return t.put(id, key, encode(key))
}

// sub returns a subscription by its number; nil when there is none. It is for reading only.
func (t *txn) sub(num uint64) (*store.Subscription, error) {
	if s, ok := t.subs[num]; ok {
		return s, nil
	}
	key := key1(num)
	v := t.get(subs, key[:])
	var s *store.Subscription
	if v != nil {
		var err error
		if s, err = decodeSubscription(key[:], v); err != nil {
			return nil, err
		}
	}
	t.setSub(num, s)
	return s, nil
}

// setSub says what the subscription is for the rest of the transaction.
func (t *txn) setSub(num uint64, s *store.Subscription) {
	if t.subs == nil {
		t.subs = make(map[uint64]*store.Subscription)
	}
	t.subs[num] = s
}

// alive reports whether there is a subscription of that number.
func (t *txn) alive(num uint64) bool {
	if s, ok := t.subs[num]; ok {
		return s != nil
	}
	key := key1(num)
	return t.get(subs, key[:]) != nil
}
