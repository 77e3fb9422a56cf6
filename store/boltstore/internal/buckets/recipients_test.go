package buckets

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/outhook/outhook/store/boltstore/internal/effect"
)

// TestRecipientCacheCounts checks that the cache counts what it has, whatever comes and goes, and
// keeps to its bound.
func TestRecipientCacheCounts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var c recipientCache
	resets := 0
	for i := range 3000 {
		tenant := fmt.Sprint("tenant", r.IntN(40))
		if r.IntN(40) == 0 {
			c.forget(tenant)
		} else if typ := fmt.Sprint("type", r.IntN(400)); c.tenants[tenant][typ] == nil {
			before := c.bytes
			c.add(tenant, typ, &RecipientSet{
				Recipients: effect.Recipients{Packed: make([]byte, r.IntN(40<<10))},
				Disabled:   make([]uint64, r.IntN(10)),
			})
			if c.bytes < before {
				resets++
			}
			if c.tenants[tenant][typ] == nil {
				t.Fatalf("step %d: what was added is not there", i)
			}
		}
		want := 0
		for tenant, types := range c.tenants {
			want += tenantOverhead + len(tenant)
			for typ, a := range types {
				want += sizeOf(typ, a)
			}
		}
		if c.bytes != want || c.bytes > MaxCached {
			t.Fatalf("step %d: it counts %d bytes, want %d, and %d at most", i, c.bytes, want,
				MaxCached)
		}
	}
	if resets == 0 {
		t.Error("the cache never got full, so the test has not seen that")
	}
}

// TestWriterIsStale checks that what a transaction that came to nothing has left is not used.
func TestWriterIsStale(t *testing.T) {
	var w Writer
	w.cache().add("", "order.paid", &RecipientSet{})
	if w.cache().tenants[""]["order.paid"] == nil {
		t.Fatal("what one transaction leaves is not there for the next")
	}
	w.MarkStale()
	if w.cache().tenants[""] != nil {
		t.Error("recipients that may be wrong are used")
	}
	w.cache().add("", "order.paid", &RecipientSet{})
	if w.cache().tenants[""]["order.paid"] == nil {
		t.Error("one transaction that came to nothing empties the cache of all later ones")
	}
}
