package buckets

import (
	"bytes"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// A tenant that is being moved to another store, or was, has a state in meta, by this prefix and
// its name. A change of anything of it checks that, in the same transaction. As a rule
// there is none: metaUnsettled says so without a look at each.
const metaTenant = "tenant/"

// phaseBits are the low bits of a stored state; the peer is above them.
const phaseBits = 8

// TenantState returns the state of a tenant.
func (f *base) TenantState(tenant string) (store.TenantState, error) {
	n, err := f.MetaNumber(metaUnsettled)
	if n == 0 || err != nil {
		return store.TenantState{}, err
	}
	n, err = f.MetaNumber(metaTenant + tenant)
	return decodeState(n), err
}

func decodeState(n uint64) store.TenantState {
	return store.TenantState{
		Phase: store.TenantPhase(n & (1<<phaseBits - 1)), Peer: int(n >> phaseBits),
	}
}

// IsClosed reports whether nothing of a tenant may be changed or claimed.
func (f *base) IsClosed(tenant string) (bool, error) {
	st, err := f.TenantState(tenant)
	return st.Phase != store.TenantSettled, err
}

// isClosedFor is IsClosed for the tenant of a subscription.
func (x *subscriptions) isClosedFor(num uint64) (bool, error) {
	sub, err := x.Get(num)
	if err != nil || sub == nil {
		return false, err
	}
	return x.IsClosed(sub.Tenant)
}

// CheckTenant returns [store.ErrMoved] if a tenant is closed.
func (f *base) CheckTenant(tenant string) error {
	closed, err := f.IsClosed(tenant)
	if err == nil && closed {
		err = store.ErrMoved
	}
	return err
}

// CheckTenant returns [store.ErrMoved] if the tenant of an event is closed.
func (x *eventLog) CheckTenant(seq uint64) error {
	e, err := x.Get(seq)
	if err != nil || e == nil {
		return nil // anybody who needs the event will say so
	}
	return x.base.CheckTenant(e.Tenant)
}

// TenantStates returns all tenants that have a state.
func (f *base) TenantStates() (map[string]store.TenantState, error) {
	states := make(map[string]store.TenantState)
	prefix := []byte(metaTenant)
	c := f.Bucket(Meta).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		n, err := record.DecodeNumber(k, v)
		if err != nil {
			return nil, fmt.Errorf("state of a tenant: %w", err)
		}
		states[string(k[len(prefix):])] = decodeState(n)
	}
	return states, nil
}

// SetTenantState sets the state of a tenant.
func (f *base) SetTenantState(tenant string, st store.TenantState) error {
	was, err := f.TenantState(tenant)
	if err != nil || was == st {
		return err
	}
	unsettled, err := f.MetaNumber(metaUnsettled)
	if err != nil {
		return err
	}
	settled := st.Phase == store.TenantSettled
	switch {
	case was.Phase == store.TenantSettled:
		unsettled++
	case settled:
		unsettled--
	}
	if err := f.PutMetaNumber(metaUnsettled, unsettled); err != nil {
		return err
	}
	key := []byte(metaTenant + tenant)
	err = f.putOrRemove(Meta, key, settled, func(key []byte) []byte {
		return record.EncodeNumber(key, uint64(st.Phase)|uint64(st.Peer)<<phaseBits)
	})
	f.Log.Add(effect.TenantChanged{Tenant: tenant, Closed: !settled})
	return err
}
