package ask

import "github.com/outhook/outhook/store"

// PageBounds are how many items a page has.
type PageBounds struct {
	Default int // without page_size
	Most    int // the largest page_size
}

// Subscriptions reads a request of /webhooks.list, and whether it asks for a page. An empty cursor
// asks for the first page; without page_size or cursor, the request is one of Airy's, and gets all:
// the query has no Limit then.
func Subscriptions(f *Fields, tenant string, b PageBounds) (q store.SubscriptionQuery, paged bool) {
	q.Tenant = tenant
	q.Cursor, _ = f.Text("cursor")
	size, sized := f.Int("page_size", 1, b.Most)
	switch {
	case sized:
		q.Limit = size
	case f.Has("cursor"): // also an empty one, which Text does not tell from none
		q.Limit = b.Default
	}
	return q, q.Limit > 0
}

// Deliveries reads the fields by which a request selects deliveries. The tenant is always in the
// query, so that a filter which names nothing selects only the tenant's own.
func Deliveries(f *Fields, tenant string) store.DeliveryQuery {
	q := store.DeliveryQuery{Tenant: tenant, States: f.States("state"), Since: f.Time("since"),
		Until: f.Time("until")}
	q.SubscriptionID, _ = f.Text("webhook_id")
	q.EventID, _ = f.Text("event_id")
	q.EventType, _ = f.Text("event_type")
	if q.EventID != "" {
		f.CheckEventID("event_id", q.EventID)
	}
	if q.EventType != "" {
		f.CheckEventType("event_type", q.EventType)
	}
	return q
}

// DeliveriesPage adds the page to a filter of deliveries. Unlike webhooks, deliveries are always
// paged: there may be millions.
func DeliveriesPage(f *Fields, q store.DeliveryQuery, b PageBounds) store.DeliveryQuery {
	q.Cursor, _ = f.Text("cursor")
	q.Limit = b.Default
	if size, ok := f.Int("page_size", 1, b.Most); ok {
		q.Limit = size
	}
	q.Count = f.Bool("count", false)
	return q
}
