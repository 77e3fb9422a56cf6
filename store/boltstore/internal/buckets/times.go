package buckets

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
	now := x.Settings.Wall().UnixNano()
	// LastEnqueued stays as it is: it is the latest time of all events, and not that of the last
	// one. So a clock that is set back for an hour is noted by the first event of that hour alone.
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
	// As a rule it is noted already, so a clock that is behind for long costs one write and not one
	// for each event.
	if err != nil || int64(known) >= later {
		return err
	}
	return x.PutMetaNumber(metaSetBack, uint64(later))
}

// LastEnqueued returns when the last event was enqueued; 0 if there is none. One that can't be read
// says nothing. It is read when the store is opened, for Writer.LastEnqueued. Without it, a clock
// that was set back over the restart is not noted, and a listing since a time may end too early.
func (x *eventLog) LastEnqueued() int64 {
	k, v := boltfile.LastBetween(x.Bucket(Events).Cursor(), nil, nil)
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
// back since, because then the order of the events does not tell. It searches by halves, since a
// replay of the last hour must not read the events of a year before its first step.
func (x *eventLog) FirstSince(since int64) (seq uint64, err error) {
	setBack, err := x.SetBack()
	if err != nil || setBack >= since {
		return 0, err
	}
	events := x.Bucket(Events)
	c := events.Cursor()
	low, high := uint64(1), events.Sequence()+1 // numbers begin with 1: 0 is that it can't be told
	for low < high {
		// All before low are from before since, and all from high on are not.
		middle := low + (high-low)/2
		// Numbers of events that were pruned, or that marks and erasures have taken, have no
		// record; Seek goes on to the next event.
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
