package ask

import (
	"cmp"
	"fmt"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// PageBounds are how many items a page has.
type PageBounds struct {
	Default int // without page_size
	Most    int // the largest page_size
}

// Scope says whose webhooks and deliveries a request is about.
type Scope struct {
	Tenant    string
	AnyTenant bool // of every tenant; Tenant is then empty
}

// ReadScope returns the scope of a request: the tenant that is given, if the request may not name
// one. One that may, an operator's, is about every tenant unless its field "tenant" names one;
// "" is a name too.
func ReadScope(f *Fields, tenant string, operator bool) Scope {
	if !operator {
		return Scope{Tenant: tenant}
	}
	if !f.Has("tenant") {
		return Scope{AnyTenant: true}
	}
	tenant, _ = f.Text("tenant")
	return Scope{Tenant: tenant}
}

// Subscriptions reads a request of /webhooks.list, and whether it asks for a page. An empty cursor
// asks for the first page; without page_size or cursor, the request is one of Airy's, and gets all:
// the query has no Limit then. A filter is beyond Airy, and comes with pages: it may take several
// requests to find what it selects, which a list of all has no way to say.
func Subscriptions(f *Fields, s Scope, b PageBounds) (q store.SubscriptionQuery, paged bool) {
	q.Tenant, q.AnyTenant = s.Tenant, s.AnyTenant
	q.Cursor, _ = f.Text("cursor")
	size, sized := f.Int("page_size", 1, b.Most)
	switch {
	case sized:
		q.Limit = size
	case f.Has("cursor"): // also an empty one, which Text does not tell from none
		q.Limit = b.Default
	}
	q.Statuses = f.Statuses("status")
	q.Text, _ = f.Text("text")
	if len(q.Text) > store.MaxQueryText {
		f.Fail("text", fmt.Sprintf("is too long; give at most %d bytes", store.MaxQueryText))
	}
	if q.EventType, _ = f.Text("event_type"); q.EventType != "" {
		f.CheckEventType("event_type", q.EventType)
	}
	q.Metadata, _ = f.Dict("metadata")
	if err := (&store.SubscriptionQuery{Metadata: q.Metadata}).Validate(); err != nil && f.Err == nil {
		f.Err = err
	}
	if q.Filtered() && q.Limit == 0 {
		f.Fail("page_size", fmt.Sprintf("is left out, and a list by status, text, event_type or "+
			"metadata comes in pages; set it, from 1 to %d", b.Most))
	}
	return q, q.Limit > 0
}

// Deliveries reads the fields by which a request selects deliveries. The scope is always in the
// query, so that a filter which names nothing selects only the tenant's own.
func Deliveries(f *Fields, s Scope) store.DeliveryQuery {
	q := store.DeliveryQuery{Tenant: s.Tenant, AnyTenant: s.AnyTenant, States: f.States("state"),
		Since: f.Time("since"), Until: f.Time("until")}
	q.SubscriptionID, _ = f.Text("webhook_id")
	q.EventID, _ = f.Text("event_id")
	q.EventType, _ = f.Text("event_type")
	q.Key, _ = f.Text("key")
	q.Tag, _ = f.Text("tag")
	q.ErrorClass = string(choice(f, "class", dispatcher.Classes()))
	q.LastStatus = f.StatusRange("status")
	if q.EventID != "" {
		f.CheckEventID("event_id", q.EventID)
		if q.AnyTenant && q.SubscriptionID == "" {
			f.Fail("event_id", "is given for every tenant, and each has IDs of its own; "+
				"give tenant or webhook_id too")
		}
	}
	if q.EventType != "" {
		f.CheckEventType("event_type", q.EventType)
	}
	if err := events.ValidateKey(q.Key); err != nil && f.Err == nil {
		f.Err = err
	}
	if err := events.ValidateTag(q.Tag); q.Tag != "" && err != nil && f.Err == nil {
		f.Err = err
	}
	return q
}

// ReplayStep adds the bounds of one step to a filter of a replay, and reports whether the request
// asks for a step and not for all of it: by a cursor or a page_size.
func ReplayStep(f *Fields, q *store.DeliveryQuery, b PageBounds) bool {
	size, sized := f.Int("page_size", 1, b.Most)
	q.Cursor, _ = f.Text("cursor")
	if sized || f.Has("cursor") {
		q.Limit = cmp.Or(size, b.Default)
		return true
	}
	return false
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
