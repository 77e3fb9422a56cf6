package buckets

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Health returns the health of a subscription. One that can't be read is the zero one: it is a
// memory, no promise. It is read at most once in a transaction; SetHealth changes what later calls
// return. It is shared, and for reading only.
func (x *subscriptions) Health(num uint64) *store.Health {
	if h, ok := x.healths[num]; ok {
		return h
	}
	key := record.Key1(num)
	h := new(store.Health)
	if read, err := record.DecodeHealth(key[:], x.base.Get(Health, key[:])); err == nil {
		*h = read
	}
	if x.healths == nil {
		x.healths = make(map[uint64]*store.Health)
	}
	x.healths[num] = h
	return h
}

// SetHealth changes the health of a subscription, and returns it: the one that it had if they are
// equal, as after most successes.
func (x *subscriptions) SetHealth(num uint64, to store.Health) *store.Health {
	// It also reads the record, so that Flush knows what to write.
	if was := x.Health(num); *was == to {
		return was
	}
	h := new(to)
	x.healths[num] = h
	if x.changedHealths == nil {
		x.changedHealths = make(map[uint64]bool)
	}
	x.changedHealths[num] = true
	// The write itself comes with Flush; without this the transaction might not commit, or pass as
	// intact.
	x.changes++
	x.Log.AddHealth(effect.HealthChanged{Num: num, Health: h})
	return h
}

// Flush writes what was changed of healths. Outcomes in one batch often are of the same
// subscription, and so its record is written once.
func (x *subscriptions) Flush() error {
	for num := range x.changedHealths {
		key, h := record.Key1(num), x.healths[num]
		err := x.putOrRemove(Health, key[:], *h == store.Health{}, func(key []byte) []byte {
			return record.EncodeHealth(key, h)
		})
		if err != nil {
			return err
		}
	}
	x.changedHealths = nil
	return nil
}

// ProbeNow ends the holds of subscriptions.
func (x *subscriptions) ProbeNow(ids []string) error {
	for _, id := range ids {
		num, err := x.Number(id)
		if err != nil {
			return err
		}
		// An unknown ID is no error: the subscription may just have been deleted.
		if num == 0 {
			continue
		}
		if closed, err := x.isClosedFor(num); err != nil {
			return err
		} else if closed {
			continue
		}
		if h := *x.Health(num); !h.NextProbeAt.IsZero() {
			h.NextProbeAt = time.Time{}
			x.SetHealth(num, h)
		}
	}
	return nil
}

// Recovered makes the health of a subscription what a success outside of the queue makes of it.
func (x *subscriptions) Recovered(id string) error {
	num, err := x.Number(id)
	if err != nil || num == 0 {
		return err
	}
	closed, err := x.isClosedFor(num)
	switch {
	case err != nil:
		return err
	case closed:
		return store.ErrMoved
	}
	x.SetHealth(num, x.Health(num).Recovered())
	return nil
}
