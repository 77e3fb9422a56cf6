package transport

import (
	"context"
	"sync"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// maxHTTP1 is how many origins are remembered that speak HTTP/1.1. Beyond, one is forgotten for
// each new one, and the next burst to it waits for a handshake again.
const maxHTTP1 = 1 << 14

// handshakes are those under way with endpoints that may speak HTTP/2, one for each origin. Without
// them a burst of 32 attempts at a new endpoint opened 32 connections, where one is enough if the
// endpoint prefers HTTP/2. Origins that speak HTTP/1.1 are remembered: there each attempt needs a
// connection of its own, so waiting would gain nothing.
//
// Its methods may be called by any number of goroutines.
type handshakes struct {
	mu    sync.Mutex
	under map[h1.Origin]*handshake // under way
	http1 map[h1.Origin]struct{}   // that speak HTTP/1.1, by their last handshake
}

// handshake is one that others wait for.
type handshake struct {
	done   chan struct{} // closed at its end
	failed bool          // nothing came out of it; to be read after done
}

// newHandshakes returns handshakes that know of no origin.
func newHandshakes() *handshakes {
	return &handshakes{
		under: make(map[h1.Origin]*handshake),
		http1: make(map[h1.Origin]struct{}),
	}
}

// enter waits for the handshake with an origin that is under way. If there is none, the caller
// leads: it makes one, and must leave. If the one that it waited for has failed, failed is true: to
// wait for another would add up to more than a deadline. Its error is the context's.
func (hs *handshakes) enter(ctx context.Context, o h1.Origin) (lead *handshake, failed bool,
	_ error) {
	hs.mu.Lock()
	h := hs.under[o]
	if h == nil {
		h = &handshake{done: make(chan struct{})}
		hs.under[o] = h
		hs.mu.Unlock()
		return h, false, nil
	}
	hs.mu.Unlock()
	select {
	case <-h.done:
		return nil, h.failed, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

// leave ends a handshake that the caller leads, if found has not. It must be called on every way
// out, panics included, or the others would wait until their deadlines.
func (hs *handshakes) leave(o h1.Origin, lead *handshake) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if hs.under[o] == lead { // another may lead by now
		lead.failed = true
		hs.end(o)
	}
}

// found tells which protocol came out of a handshake, and ends the one under way.
func (hs *handshakes) found(o h1.Origin, http1 bool) {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	if !http1 {
		delete(hs.http1, o) // it has changed to HTTP/2
	} else if _, known := hs.http1[o]; !known {
		if len(hs.http1) >= maxHTTP1 {
			for other := range hs.http1 { // any will do
				delete(hs.http1, other)
				break
			}
		}
		hs.http1[o] = struct{}{}
	}
	hs.end(o)
}

// end wakes those who wait for a handshake. hs.mu is held.
func (hs *handshakes) end(o h1.Origin) {
	if h := hs.under[o]; h != nil {
		delete(hs.under, o)
		close(h.done)
	}
}

// isHTTP1 reports whether an origin is known to speak HTTP/1.1.
func (hs *handshakes) isHTTP1(o h1.Origin) bool {
	hs.mu.Lock()
	defer hs.mu.Unlock()
	_, ok := hs.http1[o]
	return ok
}
