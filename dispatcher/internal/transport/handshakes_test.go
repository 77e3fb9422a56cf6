package transport_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/transport"
)

var someOrigin = h1.Origin{Scheme: "https", Host: "endpoint.example"}

// entered is what became of waiting.
type entered struct {
	leads, failed bool
	err           error
}

// wait has n goroutines enter a handshake, and returns where they tell what became of it.
func wait(ctx context.Context, hs transport.Handshakes, n int) <-chan entered {
	out := make(chan entered, n)
	for range n {
		go func() {
			leave, failed, err := hs.Enter(ctx, someOrigin)
			out <- entered{leave != nil, failed, err}
		}()
	}
	synctest.Wait()
	return out
}

// One leads and the others wait, for one handshake: when that ends well they look again, and when
// it fails they go on for themselves.
func TestHandshakes(t *testing.T) {
	for name, end := range map[string]func(hs transport.Handshakes, leave func()){
		"HTTP/2":   func(hs transport.Handshakes, _ func()) { hs.Found(someOrigin, false) },
		"HTTP/1.1": func(hs transport.Handshakes, _ func()) { hs.Found(someOrigin, true) },
		"fails":    func(_ transport.Handshakes, leave func()) { leave() },
	} {
		synctest.Test(t, func(t *testing.T) {
			hs := transport.NewHandshakes()
			leave, _, err := hs.Enter(t.Context(), someOrigin)
			if leave == nil || err != nil {
				t.Fatalf("%s: the first does not lead: %v", name, err)
			}
			const n = 8
			out := wait(t.Context(), hs, n)
			if len(out) != 0 {
				t.Fatalf("%s: %d did not wait", name, len(out))
			}
			end(hs, leave)
			leave() // once more, as a caller does that has found something
			synctest.Wait()
			if len(out) != n {
				t.Fatalf("%s: %d of %d still wait", name, n-len(out), n)
			}
			for range n {
				if got := <-out; got.leads || got.failed != (name == "fails") || got.err != nil {
					t.Errorf("%s: %+v", name, got)
				}
			}
			if hs.IsHTTP1(someOrigin) != (name == "HTTP/1.1") {
				t.Errorf("%s: it speaks HTTP/1.1: %v", name, hs.IsHTTP1(someOrigin))
			}
			if leave, _, _ := hs.Enter(t.Context(), someOrigin); leave == nil {
				t.Errorf("%s: nobody leads the next handshake", name)
			}
		})
	}
}

// Who waits does so until its context ends.
func TestHandshakeThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hs := transport.NewHandshakes()
		hs.Enter(t.Context(), someOrigin)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		got := <-wait(ctx, hs, 1)
		if !errors.Is(got.err, context.DeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("%+v after %v, want the end of its context", got, time.Since(start))
		}
	})
}

// What is remembered is bounded, and what is forgotten is not all.
func TestHandshakesAreForgotten(t *testing.T) {
	hs := transport.NewHandshakes()
	for n := range transport.MaxHTTP1 + 100 {
		hs.Found(h1.Origin{Host: fmt.Sprint(n)}, true)
	}
	if n := hs.Known(); n != transport.MaxHTTP1 {
		t.Errorf("%d origins are remembered, want %d", n, transport.MaxHTTP1)
	}
	last := h1.Origin{Host: fmt.Sprint(transport.MaxHTTP1 + 99)}
	if !hs.IsHTTP1(last) {
		t.Error("the last one is forgotten")
	}
	if hs.Found(last, false); hs.IsHTTP1(last) {
		t.Error("an endpoint that speaks HTTP/2 now is remembered as before")
	}
}
