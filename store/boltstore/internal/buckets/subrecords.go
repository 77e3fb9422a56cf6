package buckets

import (
	"bytes"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// subscriptions reads and writes the records of subscriptions.
type subscriptions struct {
	*base
	recipients *recipientIndex
	pending    *pending.Set

	byNum map[uint64]*store.Subscription // nil for one that is not there
	idOf  map[uint64]string
	found uint64 // what Exists has found last: a batch has many outcomes of one subscription
	// never changed in place. Read, and written by Flush if changed
	healths        map[uint64]*store.Health
	changedHealths map[uint64]bool
}

// Get returns a subscription by its number; nil if there is none. It is for reading only.
func (x *subscriptions) Get(num uint64) (*store.Subscription, error) {
	if s, ok := x.byNum[num]; ok {
		return s, nil
	}
	key := record.Key1(num)
	v := x.base.Get(Subscriptions, key[:])
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
	if num == x.found { // set comes first, and says if it has gone since
		return true
	}
	key := record.Key1(num)
	if x.base.Get(Subscriptions, key[:]) == nil {
		return false
	}
	x.found = num
	return true
}

// put stores what a subscription has become.
func (x *subscriptions) put(num uint64, was, is *store.Subscription) error {
	key := record.Key1(num)
	err := x.base.put(Subscriptions, key[:], record.EncodeSubscription(key[:], is))
	if err != nil {
		return err
	}
	x.set(num, is)
	return x.recipients.replace(num, was, is)
}

// Number returns the number of a subscription; 0 if there is none with the ID.
func (x *subscriptions) Number(id string) (uint64, error) {
	return x.base.number(SubscriptionIDs, []byte(id))
}

// LookUp reads a subscription by its ID. encoded is a copy of its record.
func (x *subscriptions) LookUp(
	id string,
) (num uint64, sub *store.Subscription, encoded []byte, err error) {
	if num, err = x.Number(id); err != nil {
		return 0, nil, nil, err
	}
	key := record.Key1(num)
	v := x.base.Get(Subscriptions, key[:])
	if v == nil {
		return 0, nil, nil, store.ErrNotFound
	}
	sub, err = record.DecodeSubscription(key[:], v)
	return num, sub, bytes.Clone(v), err
}

// ID returns the ID of a subscription that is there.
func (x *subscriptions) ID(num uint64) (string, error) {
	if id, ok := x.idOf[num]; ok {
		return id, nil
	}
	key := record.Key1(num)
	id, _, err := record.DecodeSubscriptionName(key[:], x.base.Get(Subscriptions, key[:]))
	if err != nil {
		return "", err
	}
	if x.idOf == nil {
		x.idOf = make(map[uint64]string)
	}
	x.idOf[num] = id
	return id, nil
}

// Tenant returns the tenant of a subscription that is there.
func (x *subscriptions) Tenant(num uint64) (string, error) {
	key := record.Key1(num)
	_, tenant, err := record.DecodeSubscriptionName(key[:], x.base.Get(Subscriptions, key[:]))
	return tenant, err
}

// CountOf returns how many subscriptions q selects.
func (x *subscriptions) CountOf(q *store.SubscriptionQuery) (uint64, error) {
	if q.AnyTenant {
		return x.MetaNumber(MetaCount)
	}
	return x.base.number(Tenants, record.TenantPrefix(q.Tenant))
}

// count adds to the numbers of subscriptions: of a tenant and of all.
func (x *subscriptions) count(tenant string, d int) error {
	n, err := x.base.number(Tenants, record.TenantPrefix(tenant))
	if err != nil {
		return err
	}
	all, err := x.MetaNumber(MetaCount)
	if err != nil {
		return err
	}
	if err := x.putNumber(Tenants, record.TenantPrefix(tenant), n+uint64(d)); err != nil {
		return err
	}
	return x.PutMetaNumber(MetaCount, all+uint64(d))
}
