package h1

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// sweepInterval is how often idle connections are looked at. It is how long an endpoint that serves
// one connection at a time may wait for the close of one that it has ended itself.
const sweepInterval = 100 * time.Millisecond

// pool has the connections that wait for a next exchange. It closes those that have waited for too
// long, and those that the endpoint has closed.
//
// A timer looks at all of them each sweepInterval, with a read that does not wait. A look costs
// less than a microsecond, and only while connections are idle. A goroutine for each connection
// would know at once, but costs some 30 KiB with its buffer and stack. An epoll of our own would be
// told by the system, but differs by system and costs two system calls for each exchange.
type pool struct {
	max, maxPerOrigin int
	quiescent         func(*conn) bool // whether an idle connection is open and nothing has come

	mu    sync.Mutex
	lists map[Origin]*idleList // none is empty
	n     int                  // connections in all lists
	timer *time.Timer          // runs until the next sweep; nil when the pool is empty
}

// idleList are the connections to an origin, the one that has been idle for longest first.
type idleList struct{ conns []*conn }

// newPool returns a pool for max connections, maxPerOrigin of them to one origin. quiescent reports
// whether the endpoint has neither closed an idle connection nor sent something over it.
func newPool(max, maxPerOrigin int, quiescent func(*conn) bool) *pool {
	return &pool{
		max:          max,
		maxPerOrigin: maxPerOrigin,
		quiescent:    quiescent,
		lists:        make(map[Origin]*idleList),
	}
}

// take removes and returns the connection to an origin that was used last; nil if there is none.
func (p *pool) take(o Origin) *conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.lists[o]
	if list == nil {
		return nil
	}
	return p.remove(list, len(list.conns)-1)
}

// put keeps a connection for so long. If that is one too many, it closes the one that has been idle
// for longest: of the same origin if that has too many, else of all.
func (p *pool) put(c *conn, keep time.Duration) {
	c.used, c.since = true, time.Now()
	c.until = c.since.Add(keep)
	// Closing may wait for the other side of a TLS connection, so it is not done under the lock.
	if old := p.add(c); old != nil {
		old.Close()
	}
}

// add puts a connection into the pool, and returns the one that must leave it.
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
	if old != nil {
		list = p.lists[c.origin] // remove may have taken the list away
	}
	if list == nil {
		list = &idleList{}
		p.lists[c.origin] = list
	}
	list.conns = append(list.conns, c)
	p.n++
	if p.timer == nil {
		p.timer = time.AfterFunc(sweepInterval, p.sweep)
	}
	return old
}

// remove takes out a connection by its index in a list. p.mu is held. An empty list is removed too,
// or the pool would keep one for every origin that there ever was.
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
// looks at every origin; it is called only when the pool is full.
func (p *pool) oldest() (oldest *idleList) {
	for _, list := range p.lists {
		if oldest == nil || list.conns[0].since.Before(oldest.conns[0].since) {
			oldest = list
		}
	}
	return oldest
}

// sweep closes the connections whose time is over and those that the endpoint has ended.
func (p *pool) sweep() {
	p.mu.Lock()
	origins := slices.Collect(maps.Keys(p.lists))
	p.mu.Unlock()
	now := time.Now()
	for _, o := range origins {
		// One origin at a time, so that nobody waits long for the lock.
		for _, c := range p.removeIf(o, func(c *conn) bool { return c.over(now) || !p.quiescent(c) }) {
			c.Close()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = nil
	if p.n > 0 {
		p.timer = time.AfterFunc(sweepInterval, p.sweep)
	}
}

// removeIf removes and returns the connections to an origin for which f returns true. While f looks
// at one, nobody can take it.
func (p *pool) removeIf(o Origin, f func(*conn) bool) (removed []*conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.lists[o]
	if list == nil {
		return nil
	}
	for at := len(list.conns) - 1; at >= 0; at-- {
		if f(list.conns[at]) {
			removed = append(removed, p.remove(list, at))
		}
	}
	return removed
}

// close closes the connections that are idle now.
func (p *pool) close() {
	p.mu.Lock()
	origins := slices.Collect(maps.Keys(p.lists))
	p.mu.Unlock()
	for _, o := range origins {
		for _, c := range p.removeIf(o, func(*conn) bool { return true }) {
			c.Close()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.n == 0 && p.timer != nil && p.timer.Stop() {
		p.timer = nil // else a sweep is under way, and finds the pool empty
	}
}
