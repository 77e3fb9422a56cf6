package h1

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// Phases is when the parts of a request were done. It is in the [DeadlineContext] of the request:
// so it costs no allocation, and one look at the clock where the connection is a kept one. The code
// that dials, makes handshakes or reads notes the time in it ([PhasesOf]); the last time counts, as
// a request may be sent twice.
//
// Its methods may be called from any goroutine, also after the request has ended, as a dial of
// several addresses may outlast it; and on a nil Phases, which notes nothing.
type Phases struct {
	begun time.Time // the others are nanoseconds from here; 0 is that it did not happen

	dialing, resolved, connected, secured, sent, answered atomic.Int64

	remote atomic.Pointer[net.Addr]
}

// PhasesOf returns the Phases of the request that a context is for; nil if it has none.
func PhasesOf(ctx context.Context) *Phases {
	if c, ok := ctx.(*DeadlineContext); ok {
		return &c.phases
	}
	p, _ := ctx.Value(phasesKey{}).(*Phases)
	return p
}

// phasesKey is the key under which a DeadlineContext has its Phases.
type phasesKey struct{}

// note sets a time to now, and forgets those that come after it.
func (p *Phases) note(at *atomic.Int64, later ...*atomic.Int64) {
	at.Store(max(int64(time.Since(p.begun)), 1))
	for _, l := range later {
		l.Store(0)
	}
}

// Dialing notes that a name is looked up, or an address dialed.
func (p *Phases) Dialing() {
	if p != nil {
		p.note(&p.dialing, &p.resolved, &p.connected, &p.secured, &p.sent, &p.answered)
	}
}

// Resolved notes that an address is known. Only the first one of a dial counts.
func (p *Phases) Resolved() {
	if p != nil && p.resolved.Load() == 0 {
		p.note(&p.resolved)
	}
}

// Connected notes that the connection stands.
func (p *Phases) Connected() {
	if p != nil {
		p.note(&p.connected)
	}
}

// Secured notes that a handshake is done.
func (p *Phases) Secured() {
	if p != nil {
		p.note(&p.secured)
	}
}

// Sending notes that the request is about to be written to a connection with that remote address,
// which must not be changed afterwards. It may be nil.
func (p *Phases) Sending(remote *net.Addr) {
	if p != nil {
		p.note(&p.sent, &p.answered)
		if remote != nil {
			p.remote.Store(remote)
		}
	}
}

// Answered notes that the first byte of an answer has come.
func (p *Phases) Answered() {
	if p != nil && p.answered.Load() == 0 {
		p.note(&p.answered)
	}
}

// Took is how long the parts of a request took.
type Took struct {
	DNS, Connect, TLS, FirstByte time.Duration

	Remote string // the address that it was sent to; empty if it was not sent, or that is unknown
	Reused bool   // it was sent over a connection that had been there before
}

// Took returns how long the parts took of a request that has ended. The one in which it has ended
// took until now.
func (p *Phases) Took() Took {
	var t Took
	if addr := p.remote.Load(); addr != nil && *addr != nil {
		t.Remote = (*addr).String()
	}
	now, ended := int64(time.Since(p.begun)), false
	took := func(from, to int64) time.Duration {
		if from == 0 || ended { // it did not begin
			return 0
		}
		if to == 0 {
			to, ended = now, true
		}
		return time.Duration(max(to-from, 0))
	}
	dialing, resolved, connected := p.dialing.Load(), p.resolved.Load(), p.connected.Load()
	secured, sent := p.secured.Load(), p.sent.Load()
	t.Reused = dialing == 0 && sent != 0
	t.DNS = took(dialing, resolved)
	t.Connect = took(resolved, connected)
	if secured != 0 || sent == 0 { // or else it has none
		t.TLS = took(connected, secured)
	}
	t.FirstByte = took(sent, p.answered.Load())
	return t
}
