package h1_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/nettest"
)

// Each request has its whole deadline, however long its connection has been kept.
func TestDeadlineOfEachRequest(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for deadlines to pass, 8 seconds")
	}
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		t.Parallel() // it takes its time
		const timeout = 4 * time.Second
		var d nettest.Dialogue
		url := d.Serve(t, ca, func(c net.Conn, nth int) {
			if nth < 2 {
				io.WriteString(c, ok)
			}
		})
		tr := newTransport(t, ca)
		within := func() answer {
			ctx := h1.WithDeadline(t.Context(), time.Now().Add(timeout))
			defer ctx.Cancel()
			return post(ctx, tr, url, small)
		}
		first := time.Now()
		within()
		<-time.After(time.Until(first.Add(timeout + timeout/10))) // the first deadline passes
		within()
		third := time.Now()
		if a := within(); !errors.Is(a.err, os.ErrDeadlineExceeded) || time.Since(third) < timeout {
			t.Errorf("%+v after %v, want a timeout after %v", a, time.Since(third), timeout)
		}
		if got, want := d.Requests(), []int{0, 0, 0}; !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}

// The end of the parent of a request that is over disturbs no other request.
func TestContextsOfRequestsBefore(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, says(ok))
		tr := newTransport(t, ca)
		for n := range 200 {
			parent, cancelParent := context.WithCancel(t.Context())
			ctx := h1.WithDeadline(parent, time.Now().Add(nettest.Patience))
			if a := post(ctx, tr, url, small); a.status != 200 {
				t.Fatalf("request %d: %+v, want 200", n, a)
			}
			ctx.Cancel()
			go cancelParent() // while the next request begins
		}
	})
}

// A context of any other kind does as well, and its end leaves the idle connection alone.
func TestPlainContexts(t *testing.T) {
	nettest.OverBoth(t, func(t *testing.T, ca *nettest.Authority) {
		var d nettest.Dialogue
		url := d.Serve(t, ca, says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
		tr := newTransport(t, ca)
		contexts := []func() (context.Context, context.CancelFunc){
			func() (context.Context, context.CancelFunc) { return context.Background(), func() {} },
			func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) },
			func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), nettest.Patience)
			},
		}
		for n, with := range slices.Repeat(contexts, 2) {
			ctx, cancel := with()
			if a := post(ctx, tr, url, small); a.status != 200 || a.body != "ok" {
				t.Errorf("request %d: %+v, want 200", n, a)
			}
			cancel()
		}
		if got, want := d.Requests(), make([]int, 6); !slices.Equal(got, want) {
			t.Errorf("requests over connections %v, want %v", got, want)
		}
	})
}
