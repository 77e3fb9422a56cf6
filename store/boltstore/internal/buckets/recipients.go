package buckets

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/schedule"
)

// recipientIndex finds the recipients of events.
type recipientIndex struct{ *base }

// RecipientSet is who gets the events of a tenant and type, or one of them.
type RecipientSet struct {
	effect.Recipients            // those that are disabled included
	newest            int64      // when the last of them subscribed
	Disabled          []uint64   // those of them that are disabled
	filtered          []filtered // those of them that have a filter, by their numbers
	filters           []string   // the filters, each once
}

// MaxCached bounds a recipientCache, in bytes. Finding recipients anew takes a few look-ups.
const MaxCached = 16 << 20

// What is kept for each tenant and each type besides what they hold themselves, in bytes: the maps
// and their entries. A tenant without subscriptions takes as much as any other.
const (
	tenantOverhead   = 384
	audienceOverhead = 128
)

// recipientCache keeps what was found, until it gets too much. It belongs to the holder of the
// file's write lock. Without it each event would cost a search for each pattern that matches its
// type.
type recipientCache struct {
	tenants map[string]map[string]*RecipientSet // by tenant, then by type of event
	bytes   int                                 // what all of them take, about; MaxCached at most
}

// reset empties the cache.
func (c *recipientCache) reset() { *c = recipientCache{} }

// sizeOf returns how many bytes the cache counts for the recipients of a type.
func sizeOf(typ string, a *RecipientSet) int {
	n := audienceOverhead + len(typ) + cap(a.Packed) + 8*cap(a.Disabled)
	for i := range a.filtered {
		n += filteredSize + len(a.filtered[i].filter)
	}
	return n
}

// forget drops what is known of a tenant. All types of it, since a subscription to a pattern may
// get any of them.
func (c *recipientCache) forget(tenant string) {
	types, ok := c.tenants[tenant]
	if !ok {
		return
	}
	for typ, a := range types {
		c.bytes -= sizeOf(typ, a)
	}
	c.bytes -= tenantOverhead + len(tenant)
	delete(c.tenants, tenant)
}

// add keeps the recipients of a type.
func (c *recipientCache) add(tenant, typ string, a *RecipientSet) {
	size := sizeOf(typ, a)
	if c.tenants[tenant] == nil {
		size += tenantOverhead + len(tenant)
	}
	// All go at once: to know which are used least would cost more than to find them anew.
	if c.bytes+size > MaxCached {
		c.reset()
		size = sizeOf(typ, a) + tenantOverhead + len(tenant)
	}
	c.bytes += size
	if c.tenants == nil {
		c.tenants = make(map[string]map[string]*RecipientSet)
	}
	if c.tenants[tenant] == nil {
		// The caller's may be a part of something large.
		c.tenants[strings.Clone(tenant)] = make(map[string]*RecipientSet)
	}
	c.tenants[tenant][strings.Clone(typ)] = a
}

// Of returns who gets an event that happened at the time, in milliseconds, if its filter takes it
// ([RecipientSet.Taking]).
func (x *recipientIndex) Of(tenant, typ string, at int64) (*RecipientSet, error) {
	cache := x.writer.cache()
	a := cache.tenants[tenant][typ]
	// All that are subscribed, without a bound of time: so one entry serves events of any age.
	if a == nil {
		var err error
		if a, err = x.find(tenant, typ, math.MaxInt64, nil); err != nil {
			return nil, err
		}
		cache.add(tenant, typ, a)
	}
	// The cache has those that have subscribed by now. An old event is not for the newest of them.
	latest := schedule.Add(fromMillis(at), store.SubscribeGrace)
	// The clock has been set back since the newest came.
	if a.newest <= latest || x.Settings.Wall().UnixNano() <= latest {
		return a, nil
	}
	return x.find(tenant, typ, latest, a.filtered) // without those who came too late
}

// find looks up who wants the type and had subscribed at a time. It reads the filters that are not
// among those known.
func (x *recipientIndex) find(
	tenant, typ string, latest int64, known []filtered,
) (*RecipientSet, error) {
	var found []record.Pattern
	patterns := events.Patterns(typ)
	if !events.Operational(typ) {
		patterns = append(patterns, record.EveryType)
	}
	for _, p := range patterns {
		// A type has few patterns that match it, and the entries of each are beside each other: it
		// costs a search for each pattern, however many subscriptions the tenant has to other
		// types.
		prefix := record.PatternPrefix(tenant, p)
		c := x.Bucket(Patterns).Cursor()
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			w, err := record.DecodePattern(k, v)
			if err != nil {
				return nil, err
			}
			if w.Since <= latest {
				found = append(found, w)
			}
		}
	}
	slices.SortFunc(found, func(a, b record.Pattern) int { return cmp.Compare(a.Num, b.Num) })
	// A subscription can have several patterns that match the type.
	found = slices.CompactFunc(found, func(a, b record.Pattern) bool { return a.Num == b.Num })

	a := &RecipientSet{Recipients: effect.Recipients{Count: len(found)}}
	nums := make([]uint64, len(found))
	for i, w := range found {
		nums[i] = w.Num
		a.newest = max(a.newest, w.Since)
		if w.Disabled {
			a.Disabled = append(a.Disabled, w.Num)
		}
		if w.Filtered {
			f, err := x.filterOf(w.Num, known)
			if err != nil {
				return nil, err
			}
			a.filtered = append(a.filtered, f)
		}
	}
	// Packed here, once for all events of the type, as each event stores it.
	a.Packed = record.Pack(nil, nums)
	a.filters = filters(a.filtered)
	return a, nil
}

// replace replaces a subscription in the index. Either may be nil.
func (x *recipientIndex) replace(num uint64, was, is *store.Subscription) error {
	if was != nil {
		// Now, and not after the commit: the next operation of this transaction must not see the
		// former recipients. If the transaction is rolled back, the whole cache is dropped
		// (Writer.MarkStale).
		x.writer.recipients.forget(was.Tenant)
		for _, key := range record.PatternKeys(num, was) {
			if err := x.Remove(Patterns, key); err != nil {
				return err
			}
		}
	}
	if is == nil {
		return nil
	}
	x.writer.recipients.forget(is.Tenant)
	for _, key := range record.PatternKeys(num, is) {
		if err := x.base.put(Patterns, key, record.EncodePattern(key, is)); err != nil {
			return err
		}
	}
	return nil
}

// fromMillis returns a time given in milliseconds, or the last there is.
func fromMillis(ms int64) int64 {
	if ms > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return ms * int64(time.Millisecond)
}
