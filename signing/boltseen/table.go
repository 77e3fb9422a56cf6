package boltseen

import (
	"encoding/binary"
	"time"

	"go.etcd.io/bbolt"
)

// The buckets of a table.
var (
	bucketIDs   = []byte("ids")   // id → its number and when it was added, 8 bytes each
	bucketOrder = []byte("order") // number → id; numbers go up by one for each id that is added
)

// maxForgotten is how many ids one addition forgets at most, so that no transaction is long. Two
// would do to get from any number down to the bound.
const maxForgotten = 100

// table is the remembered ids in a transaction.
type table struct {
	ids, order *bbolt.Bucket
	max        uint64
	keep       time.Duration
	now        time.Time
}

// has reports whether an id is remembered, and is not too old.
func (t *table) has(id string) bool {
	_, at, ok := entry(t.ids.Get([]byte(id)))
	return ok && t.isYoung(at)
}

// add remembers an id, and forgets what is too old or too much.
func (t *table) add(id string) error {
	n, at, ok := entry(t.ids.Get([]byte(id)))
	if ok && t.isYoung(at) {
		return nil
	}
	if ok { // it was forgotten, but is still here
		if err := t.order.Delete(number(n)); err != nil {
			return err
		}
	}
	n, err := t.order.NextSequence()
	if err != nil {
		return err
	}
	if err := t.order.Put(number(n), []byte(id)); err != nil {
		return err
	}
	value := append(number(n), number(uint64(t.now.UnixNano()))...)
	if err := t.ids.Put([]byte(id), value); err != nil {
		return err
	}
	return t.forget(n)
}

// forget removes the oldest ids until those that remain are few and young enough. The numbers of
// ids have no gaps but where an old id was added again, so last and the first say how many there
// are, or a few more.
func (t *table) forget(last uint64) error {
	for range maxForgotten {
		// A cursor for each: bbolt's may skip a key after a Delete.
		key, id := t.order.Cursor().First()
		if len(key) != 8 {
			return nil
		}
		first := binary.BigEndian.Uint64(key)
		_, at, ok := entry(t.ids.Get(id))
		if ok && last-first < t.max && t.isYoung(at) {
			return nil
		}
		if err := t.ids.Delete(id); err != nil {
			return err
		}
		if err := t.order.Delete(number(first)); err != nil {
			return err
		}
	}
	return nil
}

// isYoung reports whether what was added at a time is still remembered.
func (t *table) isYoung(at time.Time) bool { return t.now.Sub(at) < t.keep }

// entry decodes a value of the bucket of ids; ok is false if there is none.
func entry(value []byte) (number uint64, at time.Time, ok bool) {
	if len(value) != 16 {
		return 0, time.Time{}, false
	}
	return binary.BigEndian.Uint64(value), time.Unix(0, int64(binary.BigEndian.Uint64(value[8:]))), true
}
