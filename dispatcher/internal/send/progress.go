package send

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/outhook/outhook/dispatcher/internal/h1"
	"github.com/outhook/outhook/dispatcher/internal/netguard"
)

// progress says how far an attempt got, which its error may not: when an attempt ends while it
// dials, net/http returns the end of the context in place of the error of the dial.
type progress struct {
	dialing   atomic.Bool // it has begun to look a name up, or to dial
	connected atomic.Bool // a connection stood
}

// watch returns a context for a request that is sent by a transport which knows httptrace, as
// net/http's does. Traces that ctx has go on. net/http may call the hooks from other goroutines and
// after the attempt has ended, hence the atomics.
func (p *progress) watch(ctx context.Context) context.Context {
	phases := h1.PhasesOf(ctx)
	dial := func() {
		if !p.dialing.Swap(true) {
			phases.Dialing()
		}
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { dial() },
		ConnectStart: func(_, _ string) {
			dial()
			phases.Resolved()
		},
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				p.connected.Store(true)
				phases.Connected()
			}
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				phases.Secured()
			}
		},
		GotConn: func(info httptrace.GotConnInfo) {
			p.connected.Store(true)
			var remote net.Addr
			if info.Conn != nil {
				remote = info.Conn.RemoteAddr()
			}
			phases.Sending(&remote)
		},
		GotFirstResponseByte: phases.Answered,
	})
}

// unreachable reports whether an attempt failed with err before a connection stood. An address that
// must not be dialed is reachable, for all that is known. Package engine takes many such failures
// at once for an outage of the host's own network, so it must not be true of a connection that
// broke.
func (p *progress) unreachable(err error) bool {
	switch {
	case errors.Is(err, netguard.ErrBlocked), p.connected.Load():
		return false
	case isDialError(err):
		return true
	}
	// The context ended while it dialed, and its error came in place of the dial's.
	return p.dialing.Load() && isTimeout(err)
}

// isDialError reports whether err, or one that it wraps, is that of a look-up or a dial. The dial
// may be the proxy's: then the outer error is of another operation.
func isDialError(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return true
	}
	for {
		var op *net.OpError
		if !errors.As(err, &op) {
			return false
		}
		if op.Op == "dial" {
			return true
		}
		err = op.Err
	}
}
