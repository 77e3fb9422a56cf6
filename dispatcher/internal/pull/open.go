package pull

import (
	"sync"
	"sync/atomic"
)

// Open is the polls that are open: how many there are, of each tenant and in all, and what wakes
// them. Make one with NewOpen. It is safe for concurrent use.
type Open struct {
	each, all int

	count atomic.Int64 // changed under mu; Wake reads it without, as nearly always there is none

	mu sync.Mutex
	of map[string]map[chan struct{}]bool // by tenant
}

// NewOpen returns an Open without polls. Of each tenant there may be so many, and in all.
func NewOpen(each, all int) *Open {
	return &Open{each: each, all: all, of: make(map[string]map[chan struct{}]bool)}
}

// Enter opens a poll of a tenant. wake has a value when something was published for the tenant; it
// is nil if there are too many polls. When the poll is over, leave is to be called, once.
func (o *Open) Enter(tenant string) (wake <-chan struct{}, leave func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if int(o.count.Load()) >= o.all || len(o.of[tenant]) >= o.each {
		return nil, func() {}
	}
	c := make(chan struct{}, 1)
	if o.of[tenant] == nil {
		o.of[tenant] = make(map[chan struct{}]bool)
	}
	o.of[tenant][c] = true
	o.count.Add(1)
	return c, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.count.Add(-1)
		if delete(o.of[tenant], c); len(o.of[tenant]) == 0 {
			delete(o.of, tenant)
		}
	}
}

// Wake says that something was published for a tenant. It never blocks.
func (o *Open) Wake(tenant string) {
	// A poll that opens after this looks into the store, which has the event by now.
	if o.count.Load() == 0 {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.of[tenant] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
