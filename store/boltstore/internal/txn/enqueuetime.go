package txn

import (
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Events are stamped by the system's clock when they are enqueued, so that callers can ask for
// those of a time. Mostly their times go with their order, and a listing of those since a time can
// end at the first that is older. When the system's clock was set back they do not: so the file
// knows the latest time that an event has which has an earlier one after it (metaSetBack). All that
// came after that time is in order.

// enqueueTime returns the time for an event that comes after all others.
func (x *eventLog) enqueueTime() (int64, error) {
	now := x.settings.Wall().UnixNano()
	if last := x.writer.LastEnqueued; now < last {
		return now, x.noteSetBack(last)
	}
	x.writer.LastEnqueued = now
	return now, nil
}

// importTime takes in the time of an event that was enqueued in another store.
func (x *eventLog) importTime(at int64) error {
	if last := x.writer.LastEnqueued; at < last {
		return x.noteSetBack(last)
	}
	x.writer.LastEnqueued = at
	return nil
}

// noteSetBack notes that an event comes after one of a later time.
func (x *eventLog) noteSetBack(later int64) error {
	known, err := x.MetaNumber(metaSetBack)
	if err != nil || int64(known) >= later {
		return err
	}
	return x.PutMetaNumber(metaSetBack, uint64(later))
}

// LastEnqueued returns when the last event was enqueued; 0 if there is none. One that can't be read
// says nothing.
func (x *eventLog) LastEnqueued() int64 {
	k, v := boltfile.LastBetween(x.Bucket(BucketEvents).Cursor(), nil, nil)
	if k == nil {
		return 0
	}
	e, err := record.DecodeEvent(k, v)
	if err != nil {
		return 0
	}
	return e.EnqueuedAt
}

// SetBack returns the latest time of an event that has an earlier one after it; 0 if none has.
// Events that were enqueued after that time are in order.
func (x *eventLog) SetBack() (int64, error) {
	latest, err := x.MetaNumber(metaSetBack)
	return int64(latest), err
}

// FirstSince returns the first event that can be from a time on or later; 0 if the clock was set
// back since, because then the order of the events does not tell.
func (x *eventLog) FirstSince(since int64) (seq uint64, err error) {
	setBack, err := x.SetBack()
	if err != nil || setBack >= since {
		return 0, err
	}
	events := x.Bucket(BucketEvents)
	c := events.Cursor()
	low, high := uint64(0), events.Sequence()+1
	for low < high { // all before low are from before since, and all from high on are not
		middle := low + (high-low)/2
		from := record.Key1(middle)
		k, v := c.Seek(from[:])
		if k == nil {
			high = middle
			continue
		}
		e, err := record.DecodeEvent(k, v)
		switch {
		case err != nil:
			return 0, nil // it can't be told
		case e.EnqueuedAt < since:
			low = record.KeyNumber(k, 0) + 1
		default:
			high = middle
		}
	}
	return low, nil
}
