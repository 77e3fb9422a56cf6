package transport

import (
	"context"

	"github.com/outhook/outhook/dispatcher/internal/h1"
)

// Handshakes are handshakes without a transport.
type Handshakes struct{ hs *handshakes }

func NewHandshakes() Handshakes { return Handshakes{newHandshakes()} }

// Enter enters a handshake; leave is nil unless the caller leads.
func (h Handshakes) Enter(ctx context.Context, o h1.Origin) (leave func(), failed bool, err error) {
	lead, failed, err := h.hs.enter(ctx, o)
	if lead != nil {
		leave = func() { h.hs.leave(o, lead) }
	}
	return leave, failed, err
}

func (h Handshakes) Found(o h1.Origin, http1 bool) { h.hs.found(o, http1) }
func (h Handshakes) IsHTTP1(o h1.Origin) bool      { return h.hs.isHTTP1(o) }
func (h Handshakes) Known() int                    { return len(h.hs.http1) }

// MaxHTTP1 is how many origins are remembered.
const MaxHTTP1 = maxHTTP1
