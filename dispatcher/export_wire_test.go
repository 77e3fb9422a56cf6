package dispatcher

import (
	"context"
	"crypto/x509"
	"net"

	"github.com/outhook/outhook/store"
)

// Send makes the attempt that c is for, without a store or a Run.
func (d *Dispatcher) Send(ctx context.Context, c *store.Claim) store.Attempt {
	return d.sender.Send(ctx, c, &d.engine.Defaults.Send, c.Trace).Attempt
}

// Trust has deliveries trust certificates that roots vouch for, and no others. Call it before the
// first.
func (d *Dispatcher) Trust(roots *x509.CertPool) { d.Resolve(nil, roots) }

// Resolve has hosts' names looked up by r, and certificates trusted that roots vouch for; nil
// leaves that to the system. Call it before the first delivery.
func (d *Dispatcher) Resolve(r *net.Resolver, roots *x509.CertPool) {
	o := d.o.sendOptions(d.rules.Guard)
	o.Resolver, o.Roots = r, roots
	d.parts = newParts(d, o)
}
