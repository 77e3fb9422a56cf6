// Package read reads for the console what the sender of a request may see, in the shape in which
// pages show it. It is the wall between tenants: a record of another tenant is [ErrNotVisible], as
// is an ID that does not exist, so no page and no action can reach it.
//
// A search that has much to look at stops after [Budget], and says where to go on. Nothing is
// changed here.
package read

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// PageSize is how many rows a table has.
const PageSize = 50

// Budget is how long a page looks for what it shows, where it has to look at many records.
const Budget = 300 * time.Millisecond

// ErrNotVisible is returned for what is another tenant's, and for an ID that nothing can have. A
// page is to answer it as it answers [store.ErrNotFound], by the same bytes. It is an error of its
// own because a new webhook may get an ID that nothing has, and none of these.
var ErrNotVisible = errors.New("read: not the sender's to see")

// Reader reads for the sender of one request. It is safe for concurrent use.
type Reader struct {
	D         *dispatcher.Dispatcher
	Tenant    string // whose webhooks
	AnyTenant bool   // every tenant's; Tenant is ignored
	Events    show.Events
}

// Subscription returns the webhook of an ID.
func (r *Reader) Subscription(ctx context.Context, id string) (store.Subscription, error) {
	sub, err := r.D.Subscription(ctx, id)
	switch {
	case errors.As(err, new(*events.InvalidError)):
		return store.Subscription{}, ErrNotVisible
	case err != nil:
		return store.Subscription{}, err
	case !r.AnyTenant && r.Tenant != sub.Tenant:
		return store.Subscription{}, ErrNotVisible
	}
	return sub, nil
}

// Delivery returns the delivery of an event to a webhook, with the webhook.
func (r *Reader) Delivery(ctx context.Context, id, event string) (
	sub store.Subscription, d store.Delivery, err error,
) {
	sub, err = r.Subscription(ctx, id)
	if err != nil {
		return sub, d, err
	}
	page, err := r.D.Deliveries(ctx, store.DeliveryQuery{
		Tenant: sub.Tenant, SubscriptionID: sub.ID, EventID: event, Limit: 1,
	})
	switch {
	case errors.As(err, new(*events.InvalidError)),
		err == nil && (event == "" || len(page.Items) == 0):
		return sub, d, ErrNotVisible
	case err != nil:
		return sub, d, err
	}
	return sub, page.Items[0], nil
}

// Event returns the event of a delivery.
func (r *Reader) Event(ctx context.Context, d *store.Delivery) (*store.StoredEvent, error) {
	report, err := r.D.Event(ctx, dispatcher.EventQuery{Tenant: d.Tenant, EventID: d.EventID})
	return &report.Event, err
}

// Scope returns a query of all deliveries that the sender may see; for an operator who names a
// tenant, of that tenant's.
func (r *Reader) Scope(tenant string) store.DeliveryQuery {
	switch {
	case !r.AnyTenant:
		return store.DeliveryQuery{Tenant: r.Tenant}
	case tenant != "":
		return store.DeliveryQuery{Tenant: tenant}
	}
	return store.DeliveryQuery{AnyTenant: true}
}

// WebhookScope is Scope, of webhooks. Its page has PageSize.
func (r *Reader) WebhookScope(tenant string) store.SubscriptionQuery {
	q := r.Scope(tenant)
	return store.SubscriptionQuery{Tenant: q.Tenant, AnyTenant: q.AnyTenant, Limit: PageSize}
}

// Catalogue returns the event types that the sender may know of; nil if the host declares none.
func (r *Reader) Catalogue() []events.Type {
	if r.AnyTenant {
		return r.D.EventTypes()
	}
	return r.D.EventTypesFor(r.Tenant)
}

// chart returns the chart of the last figures; those that are older count for nothing.
func (r *Reader) chart(
	ctx context.Context, query store.FiguresQuery, last int,
) (show.Chart, error) {
	figures, err := r.D.Figures(ctx, query)
	if err != nil {
		return show.Chart{}, err
	}
	return show.NewChart(&figures, query.Per, last), nil
}
