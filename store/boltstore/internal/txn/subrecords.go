package txn

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Health returns the health of a subscription. One that can't be read is the zero one: it is a
// memory, no promise.
func (x *subscriptions) Health(num uint64) store.Health {
	if h, ok := x.healths[num]; ok {
		return h
	}
	key := record.Key1(num)
	h, err := record.DecodeHealth(key[:], x.base.Get(BucketHealth, key[:]))
	if err != nil {
		h = store.Health{}
	}
	if x.healths == nil {
		x.healths = make(map[uint64]store.Health)
	}
	x.healths[num] = h
	return h
}

// setHealth changes the health of a subscription.
func (x *subscriptions) setHealth(num uint64, h store.Health) {
	if x.Health(num) == h {
		return
	}
	x.healths[num] = h
	if x.changedHealths == nil {
		x.changedHealths = make(map[uint64]bool)
	}
	x.changedHealths[num] = true
	x.changes++
	x.effects.add(x.effects.healths.add(HealthChanged{num, h}))
}

// flush writes what was changed of healths.
func (x *subscriptions) flush() error {
	for num := range x.changedHealths {
		key, h := record.Key1(num), x.healths[num]
		err := x.putOrRemove(BucketHealth, key[:], h == store.Health{}, func(key []byte) []byte {
			return record.EncodeHealth(key, &h)
		})
		if err != nil {
			return err
		}
	}
	x.changedHealths = nil
	return nil
}

// Get returns a subscription by its number; nil when there is none. It is for reading only.
func (x *subscriptions) Get(num uint64) (*store.Subscription, error) {
	if s, ok := x.byNum[num]; ok {
		return s, nil
	}
	key := record.Key1(num)
	v := x.base.Get(BucketSubscriptions, key[:])
	var s *store.Subscription
	if v != nil {
		var err error
		if s, err = record.DecodeSubscription(key[:], v); err != nil {
			return nil, err
		}
	}
	x.set(num, s)
	return s, nil
}

// set says what the subscription is for the rest of the transaction.
func (x *subscriptions) set(num uint64, s *store.Subscription) {
	if x.byNum == nil {
		x.byNum = make(map[uint64]*store.Subscription)
	}
	x.byNum[num] = s
}

// Exists reports whether there is a subscription of that number.
func (x *subscriptions) Exists(num uint64) bool {
	if s, ok := x.byNum[num]; ok {
		return s != nil
	}
	key := record.Key1(num)
	return x.base.Get(BucketSubscriptions, key[:]) != nil
}

// CountOf returns how many subscriptions q selects.
func (x *subscriptions) CountOf(q *store.SubscriptionQuery) (uint64, error) {
	if q.AnyTenant {
		return x.MetaNumber(MetaCount)
	}
	return x.base.number(BucketTenants, record.TenantPrefix(q.Tenant))
}
