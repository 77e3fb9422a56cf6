package record

import (
	"fmt"
	"math"
	"slices"

	"github.com/outhook/outhook/store"
)

// Row is the record of a delivery. A pending delivery to which nothing has happened has none. What
// is not stored of a delivery (whether it has a row, whether a mark cancels it) is in package
// pending.
type Row struct {
	State store.State

	// AsOf is the sequence number that a pending delivery has held since: its event's, or a later
	// one after a redelivery. A Mark with a higher number cancels the delivery.
	AsOf uint64

	KeyHash uint64          // of the event's ordering key; 0 without one
	Blocked bool            // pending, and waits for an earlier delivery of the same key
	Waits   bool            // pending, and Due is before when its event must not be sent
	Body    store.BodyState // if it HasOverride, that has a record of its own
	Base    int             // how many attempts there were when it was last requeued
	// if pending: when it is due, or became due; 0 is when it was enqueued
	Due        int64
	AtOnce     int64  // if pending and due at once: its Due in the schedule
	FinishedAt int64  // if not pending
	Reason     string // why it was canceled, or died without an attempt

	Attempts int // how many there were

	Expires int64 // when its event expires, in milliseconds since 1970; 0 if it does not

	// Log has the newest of them, store.MaxAttempts at most, each encoded by AppendAttempt. It
	// shares memory with the value.
	Log []byte
}

// The states as they are stored. Their order is part of the format: a new one goes at the end.
var stateCodes = [...]store.State{store.Pending, store.Delivered, store.Dead, store.Canceled}

// StateCode returns the number that stands for a state in the file.
func StateCode(s store.State) uint64 { return uint64(slices.Index(stateCodes[:], s)) }

// The flags of a row: a bit, above it the state of the body, and a bit above that.
const (
	flagBlocked = 1      // Row.Blocked
	bodyShift   = 1      // where Row.Body begins
	bodyMask    = 0x0f   // of Row.Body
	flagWaits   = 1 << 6 // Row.Waits
)

func (r *Row) flags() uint64 {
	f := uint64(r.Body) << bodyShift
	if r.Blocked {
		f |= flagBlocked
	}
	if r.Waits {
		f |= flagWaits
	}
	return f
}

// Encode returns the row's value. Most numbers of a delivery that succeeded at once are 0, which
// takes a byte each.
func (r *Row) Encode(key []byte) []byte {
	e := newEncoder(48 + len(r.Reason) + len(r.Log))
	e.uint(StateCode(r.State))
	e.uint(r.AsOf - KeyNumber(key, 1)) // 0 unless it was requeued
	e.uint(r.KeyHash)
	e.uint(r.flags())
	e.uint(uint64(r.Base))
	e.int(r.Due)
	e.int(r.AtOnce)
	e.int(r.FinishedAt)
	e.string(r.Reason)
	e.uint(uint64(r.Attempts))
	e.bytes(r.Log)
	if r.Expires != 0 {
		e.int(r.Expires)
	}
	return e.appendChecksum(key)
}

// DecodeRow reads a row. Its Log shares memory with v. It returns [store.ErrCorrupt] for a state
// that this version does not know.
func DecodeRow(key, v []byte) (Row, error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return Row{}, fmt.Errorf("delivery %d/%d: %w", KeyNumber(key, 0), KeyNumber(key, 1), err)
	}
	code, later, keyHash, flags := d.uint(), d.uint(), d.uint(), d.uint()
	if code >= uint64(len(stateCodes)) {
		return Row{}, fmt.Errorf("delivery %d/%d: %w: it has state %d, which is not known",
			KeyNumber(key, 0), KeyNumber(key, 1), store.ErrCorrupt, code)
	}
	r := Row{
		State:      stateCodes[code],
		AsOf:       KeyNumber(key, 1) + later,
		KeyHash:    keyHash,
		Blocked:    flags&flagBlocked != 0,
		Waits:      flags&flagWaits != 0,
		Body:       store.BodyState(flags >> bodyShift & bodyMask),
		Base:       int(d.uint()),
		Due:        d.int(),
		AtOnce:     d.int(),
		FinishedAt: d.int(),
		Reason:     d.string(),
		Attempts:   int(d.uint()),
		Log:        d.bytes(),
	}
	if len(d.b) > 0 {
		r.Expires = d.int()
	}
	return r, d.end()
}

// ExpiresAt returns when its event expires, by the store's clock; math.MaxInt64 if it does not.
func (r *Row) ExpiresAt() int64 {
	if r.Expires == 0 {
		return math.MaxInt64
	}
	return nanos(AsMillis(r.Expires))
}

// SetDue makes a pending delivery due at a time, or when its event expires if that is sooner. Of an
// event that must not be sent before a time, in milliseconds, that is later than now, it is due
// then.
func (r *Row) SetDue(at, atOnce, notBefore, now int64) {
	if start := nanos(AsMillis(notBefore)); start > now {
		r.Waits, at, atOnce = true, start, 0
	} else {
		r.Waits = false
	}
	r.Due, r.AtOnce = min(at, r.ExpiresAt()), atOnce
}

// Pending reports whether the delivery is pending.
func (r *Row) Pending() bool { return r.State == store.Pending }

// Overridden reports whether the delivery has a body other than its event's.
func (r *Row) Overridden() bool { return r.Body.HasOverride() }

// AddAttempt adds an attempt, encoded by AppendAttempt, and drops the oldest if there are too many,
// and the details that the store no longer keeps. Log gets memory of its own: it may be the file's,
// which can't be written to.
func (r *Row) AddAttempt(encoded []byte) {
	if r.Attempts++; r.Attempts > store.MaxAttempts {
		d := decoder{b: r.Log}
		d.attempt()
		r.Log = d.b
	}
	r.Log = append(r.withoutOldDetails(len(encoded)), encoded...)
}

// withoutOldDetails returns the log without the details that are too old now that an attempt is
// counted which is not in it yet, with room for so many bytes. Most rows have none, and are copied
// as they are.
func (r *Row) withoutOldDetails(room int) []byte {
	log := make([]byte, 0, len(r.Log)+room)
	number := max(r.Attempts-store.MaxAttempts, 0)
	d := decoder{b: r.Log}
	for len(d.b) > 0 {
		if number++; store.KeepsDetail(number, r.Attempts) {
			break
		}
		before := d.b
		a := d.attempt()
		if d.bad { // EachAttempt reports it
			return append(log, before...)
		}
		log = append(log, before[:len(before)-len(d.b)]...)
		if len(a.Detail) > 0 { // the last field: its bytes, after their number
			e := encoder{log[:len(log)-lengthOf(a.Detail)]}
			e.bytes(nil)
			log = e.b
		}
	}
	return append(log, d.b...)
}

// EachAttempt calls f for each attempt that is kept, oldest first. Attempts share memory with the
// value. It returns [store.ErrCorrupt] if the log has fewer than the row counts, after f was called
// for those.
func (r *Row) EachAttempt(f func(a Attempt)) error {
	d := decoder{b: r.Log}
	// The log has the newest, so their numbers are counted back from how many there were.
	kept := min(r.Attempts, store.MaxAttempts)
	for i := range kept {
		a := d.attempt()
		a.Number = r.Attempts - kept + i + 1
		if d.bad {
			break
		}
		f(a)
	}
	return d.end()
}

// LastAttempt returns the last attempt; ok is false if there is none. It reads all that are kept,
// since attempts differ in length and the log has no index.
func (r *Row) LastAttempt() (last Attempt, ok bool, err error) {
	err = r.EachAttempt(func(a Attempt) { last, ok = a, true })
	return last, ok, err
}

// WithoutResponses returns the attempts of a row without the responses to them and their details.
// If none had any, the result is as long as Log, by which an erasure tells that nothing is left to
// do.
func (r *Row) WithoutResponses() (log []byte, err error) {
	log = make([]byte, 0, len(r.Log))
	err = r.EachAttempt(func(a Attempt) {
		a.Response, a.Detail = nil, nil
		kept := a.Clone()
		log = AppendAttempt(log, &kept)
	})
	return log, err
}
