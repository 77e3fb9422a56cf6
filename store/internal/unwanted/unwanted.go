// Package unwanted counts the events that no subscription got, by their type.
package unwanted

import (
	"maps"
	"sync"
)

// MaxTypes is how many types are counted apart. Those that come later are counted together, so that
// types that a host makes up do not use up its memory.
const MaxTypes = 1000

// Other is the name of those that are counted together. No event has it as its type.
const Other = ""

// Counter counts. Its zero value is ready to use, and it is safe for concurrent use.
type Counter struct {
	mu     sync.Mutex
	byType map[string]int
}

// Add counts an event of each of the types.
func (c *Counter) Add(types ...string) {
	if len(types) == 0 { // as with most calls
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byType == nil {
		c.byType = make(map[string]int)
	}
	for _, t := range types {
		if _, known := c.byType[t]; !known && len(c.byType) >= MaxTypes {
			t = Other
		}
		c.byType[t]++
	}
}

// Counts returns the counts, as a copy; nil if there are none.
func (c *Counter) Counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.byType)
}
