package dispatcher

import (
	"slices"
	"sync"
	"time"
)

// origin is where a connection goes to, as a URL has it.
type origin struct{ scheme, host string }

// idle are the connections that wait for a next exchange, for up to idleConnTimeout.
type idle struct {
	most, perOrigin int // how many there may be in all, and to one origin

	mu    sync.Mutex
	lists map[origin]*idleList // none is empty
	n     int                  // in all
	timer *time.Timer          // runs until the oldest is too old; nil when there is none
}

// idleList are the connections to an origin, the one that has been idle for longest first.
type idleList struct{ conns []*conn }

func newIdle(most, perOrigin int) *idle {
	return &idle{most: most, perOrigin: perOrigin, lists: make(map[origin]*idleList)}
}

// take returns the connection to an origin that was used last; nil when there is none.
func (i *idle) take(o origin) *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := i.lists[o]
	if list == nil {
		return nil
	}
	return i.remove(list, len(list.conns)-1)
}

// put keeps a connection. If that is one too many, it closes the one that has been idle for longest.
func (i *idle) put(c *conn) {
	c.used, c.since = true, time.Now()
	if old := i.add(c); old != nil {
		old.Close()
	}
}

func (i *idle) add(c *conn) (old *conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := i.lists[c.origin]
	switch {
	case list != nil && len(list.conns) >= i.perOrigin:
		old = i.remove(list, 0)
	case i.n >= i.most:
		old = i.remove(i.oldest(), 0)
	}
	if list = i.lists[c.origin]; list == nil {
		list = &idleList{}
		i.lists[c.origin] = list
	}
	list.conns = append(list.conns, c)
	i.n++
	if i.timer == nil {
		i.timer = time.AfterFunc(idleConnTimeout, i.expire)
	}
	return old
}

func (i *idle) remove(list *idleList, at int) *conn {
	c := list.conns[at]
	list.conns = slices.Delete(list.conns, at, at+1)
	if len(list.conns) == 0 {
		delete(i.lists, c.origin)
	}
	i.n--
	return c
}

// oldest returns the list whose first connection has been idle for longest. There must be one.
func (i *idle) oldest() (oldest *idleList) {
	for _, list := range i.lists {
		if oldest == nil || list.conns[0].since.Before(oldest.conns[0].since) {
			oldest = list
		}
	}
	return oldest
}

// expire closes what has been idle for too long.
func (i *idle) expire() {
	for _, c := range i.expired(time.Now().Add(-idleConnTimeout)) {
		c.Close()
	}
}

func (i *idle) expired(since time.Time) (old []*conn) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.timer = nil
	for i.n > 0 {
		list := i.oldest()
		if wait := list.conns[0].since.Sub(since); wait > 0 {
			i.timer = time.AfterFunc(wait, i.expire)
			break
		}
		old = append(old, i.remove(list, 0))
	}
	return old
}

// close closes all that are idle now.
func (i *idle) close() {
	for _, c := range i.expired(time.Now()) {
		c.Close()
	}
}
