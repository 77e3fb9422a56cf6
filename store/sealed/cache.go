package sealed

import (
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// A cache has two generations, the recent and the previous one. A used entry moves to the recent
// one. When that is full, or old enough, it becomes the previous one, and the entries of the
// previous one are dropped.
const (
	generation    = 512
	generationAge = time.Minute
)

// cache has the subscriptions that were opened for claims, by their ID. An entry is used only for
// the very record that it was opened from, which nobody changes in place, so it is never stale.
type cache struct {
	mu               sync.Mutex
	recent, previous map[string]*entry
	since            time.Time // when recent began
}

// entry is a subscription, sealed and opened. Both are for reading only.
type entry struct{ sealed, plain *store.Subscription }

// open returns a claim's subscription with its values in plaintext, and leaves the given one alone.
// Claims share the result. If the values do not open, it returns the given one, and caches nothing.
func (c *cache) open(keys *keyring, sub *store.Subscription) *store.Subscription {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.recent[sub.ID]
	if e == nil {
		e = c.previous[sub.ID]
		delete(c.previous, sub.ID)
	}
	// Stores give the same record with each claim until it changes, or leaves their memory.
	if e == nil || e.sealed != sub {
		plain := *sub
		if keys.openSubscription(&plain) != nil {
			delete(c.recent, sub.ID)
			return sub
		}
		e = &entry{sealed: sub, plain: &plain}
	}
	if c.recent[sub.ID] != e {
		c.put(sub.ID, e)
	}
	return e.plain
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
