package h1

import (
	"slices"
	"sync"
	"time"
)

// pool has the connections that wait for a next exchange. A timer, not a goroutine, closes those
// that have waited for too long.
type pool struct {
	max, maxPerOrigin int
	timeout           time.Duration

	mu    sync.Mutex
	lists map[origin]*idleList // none is empty
	n     int                  // connections in all lists
	timer *time.Timer          // runs until the oldest is too old; nil when the pool is empty
}

// idleList are the connections to an origin, the one that has been idle for longest first.
type idleList struct{ conns []*conn }

func newPool(max, maxPerOrigin int, timeout time.Duration) *pool {
	return &pool{
		max:          max,
		maxPerOrigin: maxPerOrigin,
		timeout:      timeout,
		lists:        make(map[origin]*idleList),
	}
}

// take removes and returns the connection to an origin that was used last; nil if there is none.
func (p *pool) take(o origin) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.lists[o]
	if list == nil {
		return nil
	}
	return p.remove(list, len(list.conns)-1)
}

// put keeps a connection. If that is one too many, it closes the one that has been idle for
// longest: of the same origin if that has too many, else of all.
func (p *pool) put(c *conn) {
	c.used, c.since = true, time.Now()
	// Closing may wait for the other side of a TLS connection, so it is not done under the lock.
	if old := p.add(c); old != nil {
		old.Close()
	}
}

func (p *pool) add(c *conn) (old *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.lists[c.origin]
	switch {
	case list != nil && len(list.conns) >= p.maxPerOrigin:
		old = p.remove(list, 0)
	case p.n >= p.max:
		old = p.remove(p.oldest(), 0)
	}
	if list = p.lists[c.origin]; list == nil { // remove may have taken the list away
		list = &idleList{}
		p.lists[c.origin] = list
	}
	list.conns = append(list.conns, c)
	p.n++
	if p.timer == nil {
		p.timer = time.AfterFunc(p.timeout, p.expire)
	}
	return old
}

func (p *pool) remove(list *idleList, at int) *conn {
	c := list.conns[at]
	list.conns = slices.Delete(list.conns, at, at+1)
	if len(list.conns) == 0 {
		delete(p.lists, c.origin)
	}
	p.n--
	return c
}

// oldest returns the list whose first connection has been idle for longest. There must be one. It
// looks at every origin; it is called only when the pool is full or the timer fires.
func (p *pool) oldest() (oldest *idleList) {
	for _, list := range p.lists {
		if oldest == nil || list.conns[0].since.Before(oldest.conns[0].since) {
			oldest = list
		}
	}
	return oldest
}

// expire closes the connections that have been idle for too long.
func (p *pool) expire() {
	for _, c := range p.expired(time.Now().Add(-p.timeout)) {
		c.Close()
	}
}

// expired removes and returns the connections that became idle at or before limit, and sets the
// timer for the next one.
func (p *pool) expired(limit time.Time) (old []*conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
	for p.n > 0 {
		list := p.oldest()
		if wait := list.conns[0].since.Sub(limit); wait > 0 {
			p.timer = time.AfterFunc(wait, p.expire)
			break
		}
		old = append(old, p.remove(list, 0))
	}
	return old
}

// close closes the connections that are idle now.
func (p *pool) close() {
	for _, c := range p.expired(time.Now()) {
		c.Close()
	}
}
