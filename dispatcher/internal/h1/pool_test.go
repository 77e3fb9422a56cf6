package h1_test

import (
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// idleTimeout is that of the pools of these tests.
const idleTimeout = 30 * time.Second

// idleConn is a connection that remembers whether it was closed.
type idleConn struct {
	net.Conn
	name   string
	ended  atomic.Bool // by the other side
	closed atomic.Bool // by ours
}

func endedOf(c net.Conn) bool { return c.(*idleConn).ended.Load() }

func (c *idleConn) Close() error {
	c.closed.Store(true)
	return nil
}

// putIdle keeps n connections to the host, a second apart.
func putIdle(p h1.Pool, host string, n int) (conns []*idleConn) {
	for k := range n {
		c := &idleConn{name: fmt.Sprintf("%s %d", host, k)}
		conns = append(conns, c)
		p.Put(host, c)
		<-time.After(time.Second)
	}
	return conns
}

// closedOf returns the names of those that are closed.
func closedOf(conns []*idleConn) (names []string) {
	for _, c := range conns {
		if c.closed.Load() {
			names = append(names, c.name)
		}
	}
	return names
}

func TestPoolIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := h1.NewPool(5, 3, idleTimeout, endedOf)
		defer p.Close()
		conns := putIdle(p, "a", 4)
		if got, want := closedOf(conns), []string{"a 0"}; !slices.Equal(got, want) {
			t.Errorf("past the bound of an origin, closed %q, want %q", got, want)
		}
		conns = append(conns, putIdle(p, "b", 3)...)
		if got, want := closedOf(conns), []string{"a 0", "a 1"}; !slices.Equal(got, want) {
			t.Errorf("past the bound of all, closed %q, want %q", got, want)
		}
		for _, want := range []string{"a 3", "a 2"} {
			if c, _ := p.Take("a").(*idleConn); c == nil || c.name != want {
				t.Errorf("took %v, want %s", c, want)
			}
		}
		if c := p.Take("a"); c != nil {
			t.Errorf("took %v, want none: all are taken", c)
		}
	})
}

func TestPoolClosesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := h1.NewPool(10, 10, idleTimeout, endedOf)
		defer p.Close()
		conns := append(putIdle(p, "a", 2), putIdle(p, "b", 1)...) // at 0, 1 and 2 s; it is 3 s now
		start := time.Now()
		for k, at := range []time.Duration{idleTimeout - 3*time.Second, idleTimeout - 2*time.Second,
			idleTimeout - time.Second} {
			<-time.After(time.Until(start.Add(at - time.Millisecond)))
			if got := len(closedOf(conns)); got != k {
				t.Errorf("%d closed before the limit of number %d, want %d", got, k, k)
			}
			<-time.After(h1.SweepInterval + 2*time.Millisecond)
			if got := len(closedOf(conns)); got != k+1 {
				t.Errorf("%d closed after the limit of number %d, want %d", got, k, k+1)
			}
		}
		again := putIdle(p, "a", 1) // what was taken and put back has its whole time
		p.Put("a", p.Take("a"))
		<-time.After(idleTimeout - time.Millisecond)
		if got := closedOf(again); got != nil {
			t.Errorf("closed %q before its limit", got)
		}
	})
}

// A connection that the other side ends is closed soon, and no other with it; its timer does not
// outlive the last one.
func TestPoolClosesWhatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := h1.NewPool(10, 10, idleTimeout, endedOf)
		conns := append(putIdle(p, "a", 3), putIdle(p, "b", 2)...)
		for _, k := range []int{1, 4} {
			conns[k].ended.Store(true)
		}
		<-time.After(2 * h1.SweepInterval)
		if got, want := closedOf(conns), []string{"a 1", "b 1"}; !slices.Equal(got, want) {
			t.Errorf("closed %q, want %q", got, want)
		}
		for range conns {
			p.Take("a")
			p.Take("b")
		}
		<-time.After(2 * h1.SweepInterval)
		putIdle(p, "a", 1)[0].ended.Store(true) // after it was empty
		<-time.After(2 * h1.SweepInterval)
		if c := p.Take("a"); c != nil {
			t.Errorf("took %v, which has ended", c)
		}
	})
}

func TestPoolCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := h1.NewPool(10, 10, idleTimeout, endedOf)
		conns := append(putIdle(p, "a", 2), putIdle(p, "b", 2)...)
		p.Close()
		if got := len(closedOf(conns)); got != len(conns) || p.Take("a") != nil {
			t.Errorf("%d of %d are closed, want all", got, len(conns))
		}
	})
}

// idleModel is what a pool must be like: the idle connections, in the order in which they came.
type idleModel struct {
	max, maxPerOrigin int
	idle              []modelConn
}

type modelConn struct {
	*idleConn
	host  string
	since time.Time
}

// sweep removes what had to go at a time: what has ended, and what is too old. The pool may be late
// with the latter by an interval, in which its choice is the model's.
func (m *idleModel) sweep(now time.Time) {
	m.idle = slices.DeleteFunc(m.idle, func(c modelConn) bool {
		late := now.Sub(c.since) - idleTimeout
		return c.ended.Load() || late >= h1.SweepInterval || late >= 0 && c.closed.Load()
	})
}

func (m *idleModel) put(c *idleConn, host string, now time.Time) {
	of := func(c modelConn) bool { return c.host == host }
	n := 0
	for _, c := range m.idle {
		if of(c) {
			n++
		}
	}
	switch {
	case n >= m.maxPerOrigin:
		at := slices.IndexFunc(m.idle, of)
		m.idle = slices.Delete(m.idle, at, at+1)
	case len(m.idle) >= m.max:
		m.idle = m.idle[1:]
	}
	m.idle = append(m.idle, modelConn{c, host, now})
}

func (m *idleModel) take(host string) *idleConn {
	for at := len(m.idle) - 1; at >= 0; at-- {
		if c := m.idle[at]; c.host == host {
			m.idle = slices.Delete(m.idle, at, at+1)
			return c.idleConn
		}
	}
	return nil
}

// After each put, take and wait, the pool keeps what its model keeps, and has closed the rest.
func TestPoolModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := &idleModel{max: rapid.IntRange(1, 6).Draw(rt, "max"),
			maxPerOrigin: rapid.IntRange(1, 4).Draw(rt, "per origin")}
		type step struct {
			op   int
			host string
			wait time.Duration
		}
		steps := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) step {
			return step{
				op:   rapid.IntRange(0, 3).Draw(rt, "op"),
				host: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "host"),
				wait: time.Duration(rapid.IntRange(1, 20).Draw(rt, "seconds")) * time.Second,
			}
		}), 1, 60).Draw(rt, "steps")
		synctest.Test(t, func(*testing.T) {
			p := h1.NewPool(m.max, m.maxPerOrigin, idleTimeout, endedOf)
			defer p.Close()
			var all []*idleConn
			out := make(map[*idleConn]bool) // taken, and so not to be closed
			for n, s := range steps {
				// No two things happen at the same instant, whose order would be open.
				<-time.After(time.Millisecond)
				switch s.op {
				case 0:
					c := &idleConn{name: fmt.Sprint(n)}
					all = append(all, c)
					p.Put(s.host, c)
					m.put(c, s.host, time.Now())
				case 1:
					want := m.take(s.host)
					got, _ := p.Take(s.host).(*idleConn)
					if got != want {
						rt.Fatalf("step %d: took %v, want %v", n, got, want)
					}
					out[got] = true
				case 2:
					<-time.After(s.wait)
				case 3:
					if len(m.idle) > 0 {
						m.idle[n%len(m.idle)].ended.Store(true)
					}
				}
				<-time.After(h1.SweepInterval)
				synctest.Wait()
				m.sweep(time.Now())
				for _, c := range all {
					kept := out[c] || slices.ContainsFunc(m.idle, func(k modelConn) bool {
						return k.idleConn == c
					})
					if c.closed.Load() == kept {
						rt.Fatalf("step %d: connection %s closed: %v, want %v", n, c.name, !kept, kept)
					}
				}
			}
		})
	})
}
