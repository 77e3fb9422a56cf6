package dispatcher_test

import (
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
)

// idleConn is a connection that remembers whether it was closed.
type idleConn struct {
	net.Conn
	name   string
	closed atomic.Bool
}

func (c *idleConn) Close() error {
	c.closed.Store(true)
	return nil
}

// putIdle keeps a connection to the host for each of n, a second apart.
func putIdle(i dispatcher.Idle, host string, n int) (conns []*idleConn) {
	for k := range n {
		c := &idleConn{name: fmt.Sprintf("%s %d", host, k)}
		conns = append(conns, c)
		i.Put(host, c)
		<-time.After(time.Second)
	}
	return conns
}

// closedOf are the names of those that are closed.
func closedOf(conns []*idleConn) (names []string) {
	for _, c := range conns {
		if c.closed.Load() {
			names = append(names, c.name)
		}
	}
	return names
}

func TestIdleConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := dispatcher.NewIdle(5, 3)
		defer i.Close()
		conns := putIdle(i, "a", 4)
		if got, want := closedOf(conns), []string{"a 0"}; !slices.Equal(got, want) {
			t.Errorf("past the bound of an origin, closed %q, want %q", got, want)
		}
		conns = append(conns, putIdle(i, "b", 3)...)
		if got, want := closedOf(conns), []string{"a 0", "a 1"}; !slices.Equal(got, want) {
			t.Errorf("past the bound of all, closed %q, want %q", got, want)
		}
		for _, want := range []string{"a 3", "a 2"} {
			if c, _ := i.Take("a").(*idleConn); c == nil || c.name != want {
				t.Errorf("took %v, want %s", c, want)
			}
		}
		if c := i.Take("a"); c != nil {
			t.Errorf("took %v, want none: all are taken", c)
		}
	})
}

func TestIdleConnectionsAreClosedInTime(t *testing.T) {
	const limit = 30 * time.Second
	synctest.Test(t, func(t *testing.T) {
		i := dispatcher.NewIdle(10, 10)
		defer i.Close()
		conns := append(putIdle(i, "a", 2), putIdle(i, "b", 1)...) // at 0, 1 and 2 s; it is 3 s now
		start := time.Now()
		for k, at := range []time.Duration{limit - 3*time.Second, limit - 2*time.Second, limit - time.Second} {
			<-time.After(time.Until(start.Add(at - time.Millisecond)))
			if got := len(closedOf(conns)); got != k {
				t.Errorf("%d closed before the limit of number %d, want %d", got, k, k)
			}
			<-time.After(2 * time.Millisecond)
			if got := len(closedOf(conns)); got != k+1 {
				t.Errorf("%d closed after the limit of number %d, want %d", got, k, k+1)
			}
		}
		again := putIdle(i, "a", 1) // what was taken and put back has its whole time
		i.Put("a", i.Take("a"))
		<-time.After(limit - time.Millisecond)
		if got := closedOf(again); got != nil {
			t.Errorf("closed %q before its limit", got)
		}
	})
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := dispatcher.NewIdle(10, 10)
		conns := append(putIdle(i, "a", 2), putIdle(i, "b", 2)...)
		i.Close()
		if got := len(closedOf(conns)); got != len(conns) || i.Take("a") != nil {
			t.Errorf("%d of %d are closed, want all", got, len(conns))
		}
	})
}
