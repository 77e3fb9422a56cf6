package buckets

import (
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// expiries takes the deliveries of events that have expired out of what is pending. Readers see them
// canceled as soon as they have expired (pending.Set.Find); their records follow in steps. Only
// events that expire are in the bucket, until all their deliveries have ended.
type expiries struct {
	*base
	events  *eventLog      // for the recipients of an event
	subs    *subscriptions // for whether a recipient is still there
	pending *pending.Set
}

// expiryKey returns the key of an event that expires: those that do so first come first.
func expiryKey(e *record.Event, seq uint64) [record.Len2]byte {
	return record.Key2(uint64(e.ExpiresAt), seq)
}

// Due reports whether there is an event that has expired, and whose records may not say so.
func (x *expiries) Due() bool {
	key := x.first()
	return key != nil
}

// first returns the key of the first event that has expired; nil if there is none.
func (x *expiries) first() []byte {
	k, _ := x.Bucket(Expiries).Cursor().First()
	if k == nil || record.AsMillis(int64(record.KeyNumber(k, 0))).UnixNano() > x.Now {
		return nil
	}
	return k
}

// Step writes into the records of some deliveries that they have expired: of the events that have
// done so first. There may be more.
func (x *expiries) Step() error {
	left, until := x.Settings.EraseStep, x.Settings.Now()+eraseTime
	for first := true; first || left > 0 && x.Settings.Now() <= until; first = false {
		k := x.first()
		if k == nil {
			return nil
		}
		var err error
		// A copy of the key, which is the file's memory.
		if left, err = x.event(record.Key2(record.KeyNumber(k, 0), record.KeyNumber(k, 1)), left,
			until); err != nil {
			return err
		}
	}
	return nil
}

// event does what Step does, for the event of a key, and returns how many deliveries it has left of
// those that the step may change.
func (x *expiries) event(key [record.Len2]byte, left int, until int64) (int, error) {
	seq := record.KeyNumber(key[:], 1)
	done, err := x.number(Expiries, key[:])
	if err != nil {
		return left, err
	}
	_, nums, err := x.events.recipients(seq)
	if err != nil { // nothing can be read of its deliveries either; Prune must not try for ever
		nums = nil
	}
	for seen, num := range nums[min(int(done), len(nums)):] {
		// The clock is not read for each delivery: most of them may have ended long ago.
		if left <= 0 || seen%64 == 63 && x.Settings.Now() > until {
			return 0, x.putNumber(Expiries, key[:], done)
		}
		done++
		changed, err := x.Expire(pending.ID{Num: num, Seq: seq})
		if err != nil {
			return left, err
		}
		if changed {
			left--
		}
	}
	return left, x.Remove(Expiries, key[:])
}

// Expire writes into the record of a delivery that it has expired, if it has and the record does not
// say so. One that can't be read is left for Claim to find.
func (x *expiries) Expire(id pending.ID) (changed bool, err error) {
	if !x.subs.Exists(id.Num) {
		return false, nil
	}
	// What expires has a row, so no key is needed to find it.
	was, ok, err := x.pending.Find(id.Num, id.Seq, 0)
	if err != nil || !ok || !was.Marked {
		return false, nil
	}
	r := was
	r.Blocked, r.Waits, r.Due, r.AtOnce = false, false, 0, 0
	return true, x.pending.Transition(id, was, r, true)
}
