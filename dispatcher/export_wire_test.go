package dispatcher

import (
	"context"
	"crypto/x509"
	"net"

	"github.com/outhook/outhook/store"
)

// Send makes the attempt that c is for, without a store or a Run.
func (d *Dispatcher) Send(ctx context.Context, c *store.Claim) store.Attempt {
	return d.sender.send(ctx, c, c.Trace).attempt
}

// Trust has deliveries trust certificates that roots vouch for, and no others. Call it before the first.
func (d *Dispatcher) Trust(roots *x509.CertPool) { d.Resolve(nil, roots) }

// Resolve has hosts' names looked up by r, and certificates trusted that roots vouch for; nil leaves that to the system. Call it
// before the first delivery.
func (d *Dispatcher) Resolve(r *net.Resolver, roots *x509.CertPool) {
	dialer, secure := newDialer(&d.o, d.guard), newTLSConfig(&d.o)
	dialer.Resolver, secure.RootCAs = r, roots
	d.sender.transport, d.sender.h1 = newTransport(&d.o, dialer, secure)
}
