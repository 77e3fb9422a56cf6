package dispatcher

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// pings bounds how many pings of each tenant are under way, so that the slow endpoints of one keep no other waiting.
type pings struct {
	max int64 // of one tenant

	mu sync.Mutex
	of map[string]*tenantPings // those with a ping under way or waiting
}

type tenantPings struct {
	slots *semaphore.Weighted
	users int // pings under way or waiting
}

func newPings(max int) *pings { return &pings{max: int64(max), of: make(map[string]*tenantPings)} }

// enter waits until a ping of the tenant may start. When it is over, leave is to be called.
func (p *pings) enter(ctx context.Context, tenant string) (leave func(), err error) {
	t := p.join(tenant)
	if err := t.slots.Acquire(ctx, 1); err != nil {
		p.part(tenant)
		return nil, err
	}
	return func() {
		t.slots.Release(1)
		p.part(tenant)
	}, nil
}

func (p *pings) join(tenant string) *tenantPings {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.of[tenant]
	if t == nil {
		t = &tenantPings{slots: semaphore.NewWeighted(p.max)}
		p.of[tenant] = t
	}
	t.users++
	return t
}

// part forgets the tenant when nobody pings for it any more.
func (p *pings) part(tenant string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.of[tenant]; t.users > 1 {
		t.users--
	} else {
		delete(p.of, tenant)
	}
}
