package txn

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

// recipientSet is who gets the events of a tenant and type.
type recipientSet struct {
	effect.Recipients          // those that are disabled included
	newest            int64    // when the last of them subscribed
	disabled          []uint64 // those of them that are disabled
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
// file's write lock.
type recipientCache struct {
	tenants map[string]map[string]*recipientSet
	bytes   int
}

// reset empties the cache.
func (c *recipientCache) reset() { *c = recipientCache{} }

// sizeOf returns how many bytes the cache counts for the recipients of a type.
func sizeOf(typ string, a *recipientSet) int {
	return audienceOverhead + len(typ) + cap(a.Packed) + 8*cap(a.disabled)
}

// forget drops what is known of a tenant.
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
func (c *recipientCache) add(tenant, typ string, a *recipientSet) {
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
		c.tenants = make(map[string]map[string]*recipientSet)
	}
	if c.tenants[tenant] == nil {
		// The caller's may be a part of something large.
		c.tenants[strings.Clone(tenant)] = make(map[string]*recipientSet)
	}
	c.tenants[tenant][strings.Clone(typ)] = a
}

// of returns who gets an event that happened at the time, in milliseconds.
func (x *recipientIndex) of(tenant, typ string, at int64) (*recipientSet, error) {
	cache := x.writer.cache()
	a := cache.tenants[tenant][typ]
	if a == nil {
		var err error
		if a, err = x.find(tenant, typ, math.MaxInt64); err != nil {
			return nil, err
		}
		cache.add(tenant, typ, a)
	}
	// The cache has those that have subscribed by now. An old event is not for the newest of them.
	latest := schedule.Add(fromMillis(at), store.SubscribeGrace)
	// The clock has been set back since the newest came.
	if a.newest <= latest || x.settings.Wall().UnixNano() <= latest {
		return a, nil
	}
	return x.find(tenant, typ, latest) // without those who came too late
}

// find looks up who wants the type and had subscribed at a time.
func (x *recipientIndex) find(tenant, typ string, latest int64) (*recipientSet, error) {
	var found []record.Pattern
	patterns := events.Patterns(typ)
	if !events.Operational(typ) {
		patterns = append(patterns, record.EveryType)
	}
	for _, p := range patterns {
		prefix := record.PatternPrefix(tenant, p)
		c := x.Bucket(BucketPatterns).Cursor()
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

	a := &recipientSet{Recipients: effect.Recipients{Count: len(found)}}
	nums := make([]uint64, len(found))
	for i, w := range found {
		nums[i] = w.Num
		a.newest = max(a.newest, w.Since)
		if w.Disabled {
			a.disabled = append(a.disabled, w.Num)
		}
	}
	a.Packed = record.Pack(nil, nums)
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
			if err := x.remove(BucketPatterns, key); err != nil {
				return err
			}
		}
	}
	if is == nil {
		return nil
	}
	x.writer.recipients.forget(is.Tenant)
	for _, key := range record.PatternKeys(num, is) {
		if err := x.base.put(BucketPatterns, key, record.EncodePattern(key, is)); err != nil {
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
