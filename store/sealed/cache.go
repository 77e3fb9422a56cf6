package sealed

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// A cache has two generations, the recent and the previous one. A used entry moves to the recent
// one. When that is full, or old enough, it becomes the previous one, and the entries of the
// previous one are dropped.
const (
	generation    = 512
	generationAge = time.Minute
)

// cache has the values that were opened for claims, by the ID of the subscription. An entry is used
// only for exactly the sealed values that it was opened from, so it is never stale.
type cache struct {
	mu               sync.Mutex
	recent, previous map[string]*entry
	since            time.Time // when recent began
}

// entry is a subscription's values, sealed and opened.
type entry struct {
	sealedSecrets, secrets []signing.Secret
	sealedHeaders, headers map[string]string
	sealedWith             string

	// What the sealed values are bound to. For another URL they must not be used, as it would be
	// sent what was sealed for this one.
	tenant, url string
}

// open replaces the values in a claim's subscription by plaintext. Claims share the result. Values
// that do not open stay sealed, and are not cached.
func (c *cache) open(keys *keyring, sub *store.Subscription) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.recent[sub.ID]
	if e == nil {
		e = c.previous[sub.ID]
		delete(c.previous, sub.ID)
	}
	if e == nil || e.sealedWith != sub.SealedWith || e.tenant != sub.Tenant || e.url != sub.URL ||
		!slices.Equal(e.sealedSecrets, sub.Secrets) || !maps.Equal(e.sealedHeaders, sub.Headers) {
		e = &entry{sealedSecrets: sub.Secrets, sealedHeaders: sub.Headers, sealedWith: sub.SealedWith,
			tenant: sub.Tenant, url: sub.URL}
		plain := *sub
		if keys.openSubscription(&plain) != nil {
			delete(c.recent, sub.ID)
			return
		}
		e.secrets, e.headers = plain.Secrets, plain.Headers
	}
	sub.Secrets, sub.Headers, sub.SealedWith = e.secrets, e.headers, ""
	if c.recent[sub.ID] != e {
		c.put(sub.ID, e)
	}
}

func (c *cache) put(id string, e *entry) {
	if len(c.recent) >= generation {
		c.turn()
	}
	if c.recent == nil {
		c.recent = make(map[string]*entry)
		c.since = time.Now()
	}
	c.recent[id] = e
}

func (c *cache) turn() { c.previous, c.recent, c.since = c.recent, nil, time.Now() }

// age drops entries that have not been used for some time.
func (c *cache) age() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.recent)+len(c.previous) == 0 {
		return
	}
	switch age := time.Since(c.since); {
	case age >= 2*generationAge:
		c.recent, c.previous = nil, nil
	case age >= generationAge:
		c.turn()
	}
}

// forget drops a subscription.
func (c *cache) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.recent, id)
	delete(c.previous, id)
}
