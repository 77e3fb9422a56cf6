package dispatcher

import (
	"context"
	"errors"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Publish stores events for delivery: all of them or none. When it returns nil they survive a crash
// or a power cut, and will be delivered by Run, here or in another process that shares the store.
//
// It returns an *events.InvalidError if an event is invalid, and store.ErrConflict if its tenant
// has stored an event with the same ID and other content. It returns a *QuotaError if the tenant of
// an event has as much pending as Quota.Pending allows. After these, none are stored. After any
// other error it is not known whether they were stored, and publishing the same events again is
// safe: an event is stored once. Events that no subscription wants are not stored.
//
// Events are delivered in the order given. One call with many events is much cheaper than many
// calls. Don't call it inside a transaction of your own on the same bbolt database, for whose end
// it would wait: call PublishTx.
func (d *Dispatcher) Publish(ctx context.Context, evs ...events.Event) error {
	return d.publisher.Publish(ctx, evs)
}

// PublishTx is Publish in a transaction of the host, on the database that the store is in: the
// events are stored if and when it commits, together with all else that it writes, and not at all
// if it is rolled back. So no crash leaves an order without its webhook, or a webhook without its
// order:
//
//	err := db.Update(func(tx *bbolt.Tx) error { // a *bbolt.DB that boltstore.New was given
//		…
//		return d.PublishTx(ctx, s.Tx(tx), event)
//	})
//
// Make tx by the store that New was given or, if that one wraps another such as sealed does, by the
// store inside: by Tx of boltstore, or Tx (pgx) or SQLTx (database/sql) of pgstore. It can't be
// checked here that tx is of that store: events go to the store that made tx. With store/shards, Tx
// of that package makes it, and refuses events of tenants in other stores. Only the host commits.
//
// It checks what Publish checks, and returns the same errors. After an *events.InvalidError or a
// *QuotaError the transaction is as it was; after any other error roll it back (pgstore allows to
// go on after store.ErrConflict). Observer.OnPublish is told after the commit by boltstore, and by
// pgstore, which cannot see the commit, when PublishTx returns: also of what is rolled back
// afterwards. A span of Options.Tracer ends when PublishTx returns. Quota.Pending counts what was
// pending when the call began; with boltstore, less what the same transaction has published.
func (d *Dispatcher) PublishTx(ctx context.Context, tx store.Tx, evs ...events.Event) error {
	if tx == nil {
		return errors.New("dispatcher: publish: the transaction is nil; " +
			"give one that a store's method Tx has returned")
	}
	return d.publisher.PublishTx(ctx, tx, evs)
}

// EventTypes returns the catalogue of the types that can be subscribed to: Options.EventTypes and,
// with Options.OperationalEvents, the operational types. It is nil if the host has no catalogue.
func (d *Dispatcher) EventTypes() []events.Type { return d.rules.Catalogue(nil) }

// EventTypesFor is EventTypes without the types that are hidden from a tenant, see
// Options.TypeVisible. It is empty and not nil if all are.
func (d *Dispatcher) EventTypesFor(tenant string) []events.Type {
	return d.rules.Catalogue(d.rules.VisibleTo(tenant))
}
