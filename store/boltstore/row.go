package boltstore

import (
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
)

// row is what the file says of a delivery, or what follows from its having no row (see txn.find).
type row struct {
	state    store.State
	stamp    uint64          // the sequence number as of which it is as it is: a mark with a later one cancels it
	key      uint64          // the hash of the event's ordering key, or 0
	behind   bool            // pending, and waiting for an earlier delivery of the same key
	body     store.BodyState // with BodyOverridden there is an override beside the row, see body.go
	base     int             // how many attempts there were when it was last requeued
	due      int64           // pending only: when it is due, or became due; 0 for as soon as it was enqueued
	atOnce   int64           // pending only, if it is due at once: its Due in the schedule
	finished int64           // not pending only
	reason   string          // why it was canceled, or died without an attempt

	attempts int    // how many there were
	log      []byte // the newest of them, store.MaxAttempts at most, one encoded after the other;
	// shares its memory with the record

	// What follows is not stored.
	stored   bool // the file has a row
	marked   bool // the row is pending, and a mark says that it is canceled
	counted  bool // marked, by an erasure alone: it is still in the counts of pending deliveries
	outdated bool // the row is not in line yet with the mark of an erasure
}

// The states as they are stored.
var stateCodes = [...]store.State{store.Pending, store.Delivered, store.Dead, store.Canceled}

// What is stored of a row as one number: a flag, and above it the state of its body.
const (
	flagBehind = 1
	bodyShift  = 1
)

func (r *row) flags() uint64 {
	f := uint64(r.body) << bodyShift
	if r.behind {
		f |= flagBehind
	}
	return f
}

// overridden reports whether the delivery has a body of its own.
func (r *row) overridden() bool { return r.body == store.BodyOverridden }

// encode returns the row's value.
func (r *row) encode(key []byte) []byte {
	e := newEncoder(48 + len(r.reason) + len(r.log))
	e.uint(uint64(slices.Index(stateCodes[:], r.state)))
	e.uint(r.stamp - number(key, 1)) // it is seldom another than the event's own number
	e.uint(r.key)
	e.uint(r.flags())
	e.uint(uint64(r.base))
	e.int(r.due)
	e.int(r.atOnce)
	e.int(r.finished)
	e.string(r.reason)
	e.uint(uint64(r.attempts))
	e.bytes(r.log)
	return e.seal(key)
}

// decodeRow reads a row.
func decodeRow(key, v []byte) (row, error) {
	d, err := unseal(key, v)
	if err != nil {
		return row{}, fmt.Errorf("delivery %d/%d: %w", number(key, 0), number(key, 1), err)
	}
	code, late, keyHash, flags := d.uint(), d.uint(), d.uint(), d.uint()
	if code >= uint64(len(stateCodes)) {
		return row{}, fmt.Errorf("delivery %d/%d: %w: its state is not known", number(key, 0), number(key, 1), store.ErrCorrupt)
	}
	r := row{
		state: stateCodes[code], stamp: late + number(key, 1), key: keyHash, behind: flags&flagBehind != 0, body: store.BodyState(flags >> bodyShift),
		base: int(d.uint()), due: d.int(), atOnce: d.int(), finished: d.int(), reason: d.string(), attempts: int(d.uint()), log: d.bytes(),
		stored: true,
	}
	return r, d.end()
}

// live reports whether the delivery is pending.
func (r *row) live() bool { return r.state == store.Pending }

// listed reports whether the row is in the indexes of pending deliveries: it is until it is rewritten, also when a mark
// has canceled it.
func (r *row) listed() bool { return r.live() || r.marked }

// place returns where the delivery stands among those of its subscription: first attempts by their event, retries by
// when they are due.
func (r *row) place(seq uint64) place {
	switch {
	case r.atOnce != 0:
		return place{Due: r.atOnce, Seq: seq}
	case r.attempts == 0:
		return place{Seq: seq}
	}
	return place{Due: r.due, Seq: seq}
}

// appendAttempt appends the encoded attempt to a log.
func appendAttempt(log []byte, a *store.Attempt) []byte {
	e := encoder{slices.Grow(log, 24+len(a.Error)+min(len(a.Response), store.MaxResponse))}
	e.time(a.At)
	e.int(int64(a.Duration))
	e.int(int64(a.Status))
	e.string(a.Error)
	e.bytes(a.Response[:min(len(a.Response), store.MaxResponse)])
	return e.b
}

// addAttempt adds an encoded attempt to the log, and drops the oldest if there are too many.
func (r *row) addAttempt(encoded []byte) {
	if r.attempts++; r.attempts > store.MaxAttempts {
		d := decoder{b: r.log}
		d.time()
		d.int()
		d.int()
		d.bytes()
		d.bytes()
		r.log = d.b
	}
	r.log = append(r.log[:len(r.log):len(r.log)], encoded...)
}

// eachAttempt calls f for each attempt that is kept, oldest first. Its Response shares its memory with the record.
func (r *row) eachAttempt(f func(a attempt)) error {
	d := decoder{b: r.log}
	kept := min(r.attempts, store.MaxAttempts)
	for i := range kept {
		a := attempt{number: r.attempts - kept + i + 1, at: d.time(), duration: d.int(), status: int(d.int()), err: d.bytes(), response: d.bytes()}
		if d.bad {
			break
		}
		f(a)
	}
	return d.end()
}

// last returns the last attempt; ok is false when there is none.
func (r *row) last() (last attempt, ok bool, err error) {
	err = r.eachAttempt(func(a attempt) { last, ok = a, true })
	return last, ok, err
}
