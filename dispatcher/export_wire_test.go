package dispatcher

import (
	"context"
	"crypto/x509"
	"net"
	"net/netip"

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
	d.sender.transport, d.sender.direct = newTransport(&d.o, dialer, secure)
}

// Dialable reports whether the guard lets a socket connect to the address, on a network that the net package names.
func (d *Dispatcher) Dialable(network, address string) bool {
	return d.guard.control(context.Background(), network, address, nil) == nil
}

// Allows reports whether the guard allows the address.
func (d *Dispatcher) Allows(a netip.Addr) bool { return d.guard.allows(a) }

// Endpoint checks a subscription's URL and returns it as it is stored.
func (d *Dispatcher) Endpoint(raw string) (string, error) { return d.endpoint(raw) }
