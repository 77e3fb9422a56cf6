package read

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// EventSearch says which event is looked for, and where a search goes on.
type EventSearch struct {
	ID       string
	InTenant bool   // an operator looks in one tenant alone,
	Tenant   string // in this

	Cursor string // the webhooks of a tenant from here on
	From   string // the tenants of the webhooks from this cursor on,
	After  string // and of that page from the webhook after this
}

// Found are the events that have an ID, which are of several tenants in an operator's search.
type Found struct {
	Events  []Event
	Tenants int    // how many were searched, by an operator
	GoOn    string // a URL: the tenants after them
}

// Event is an event of one tenant with what became of it for each webhook.
type Event struct {
	Tenant, Type, Key string
	Tags              []string
	At, PublishedAt   time.Time

	NotBefore, ExpiresAt time.Time // zero: none

	Payload  show.Payload
	Webhooks []EventRow
	Trace    string // a URL
	Next     string // a URL: more webhooks
}

// EventRow says what became of an event for a webhook.
type EventRow struct {
	ID, EventID, Webhook string
	State                show.State
	Why                  string // it did not get it
	Answer               string
	Attempts             int
	Delivery             bool // there is one to look at
}

// maxFound is how many events of an ID one page shows.
const maxFound = 10

// FindEvent finds who got an event, and why others did not. An ID is its tenant's, so an operator's
// search goes through the tenants. Nothing found is no error.
func (r *Reader) FindEvent(ctx context.Context, s EventSearch) (Found, error) {
	var f Found
	var err error
	switch {
	case !r.AnyTenant:
		err = r.addEvent(ctx, &f, r.Tenant, s)
	case s.InTenant:
		err = r.addEvent(ctx, &f, s.Tenant, s)
	default:
		err = r.searchTenants(ctx, &f, s)
	}
	return f, err
}

// addEvent adds the event of a tenant, if it has one of this ID.
func (r *Reader) addEvent(ctx context.Context, f *Found, tenant string, s EventSearch) error {
	report, err := r.D.Event(ctx,
		dispatcher.EventQuery{Tenant: tenant, EventID: s.ID, Cursor: s.Cursor})
	switch {
	case errors.Is(err, store.ErrNotFound) || errors.As(err, new(*events.InvalidError)):
		return nil
	case err != nil:
		return err
	}
	f.Events = append(f.Events, r.newEvent(&report))
	return nil
}

// searchTenants looks for an event in one tenant after the other, for Budget and in one at least.
// It goes through the webhooks, since a store has no list of tenants.
func (r *Reader) searchTenants(ctx context.Context, f *Found, s EventSearch) error {
	end := time.Now().Add(Budget)
	over := func() bool { return len(f.Events) >= maxFound || !time.Now().Before(end) }
	query := r.WebhookScope("")
	query.Cursor = s.From
	after, seen := s.After, make(map[string]bool)
	for {
		page, err := r.D.Subscriptions(ctx, query)
		if err != nil {
			return err
		}
		// If it was deleted since, its page is searched anew.
		passed := func(sub store.Subscription) bool { return sub.ID == after }
		items := page.Items[slices.IndexFunc(page.Items, passed)+1:]
		for i := range items {
			tenant := items[i].Tenant
			if seen[tenant] {
				continue
			}
			seen[tenant] = true
			if err := r.addEvent(ctx, f, tenant, s); err != nil {
				return err
			}
			f.Tenants = len(seen)
			if over() && i+1 < len(items) {
				f.GoOn = show.To("event", "id", s.ID, "from", query.Cursor, "after", items[i].ID)
				return nil
			}
		}
		switch {
		case page.Next == "":
			return nil
		case over():
			f.GoOn = show.To("event", "id", s.ID, "from", page.Next)
			return nil
		}
		query.Cursor = page.Next
	}
}

func (r *Reader) newEvent(report *dispatcher.EventReport) Event {
	ev := &report.Event
	e := Event{
		Tenant: ev.Tenant, Type: ev.Type, Key: ev.Key, At: ev.Time, PublishedAt: ev.EnqueuedAt,
		Tags: ev.Tags, NotBefore: ev.NotBefore, ExpiresAt: ev.ExpiresAt,
		Payload: r.Events.Payload(store.Subscription{Tenant: ev.Tenant}, ev),
		Trace:   r.Events.Trace(ev),
	}
	if report.Next != "" {
		e.Next = show.To("event", "id", ev.ID, "cursor", report.Next)
		if r.AnyTenant {
			e.Next += "&" + url.Values{"tenant": {ev.Tenant}}.Encode()
		}
	}
	for i := range report.Subscriptions {
		e.Webhooks = append(e.Webhooks, newEventRow(
			&report.Subscriptions[i], ev.ID, r.D.MaxAttempts()))
	}
	slices.SortStableFunc(e.Webhooks, func(a, b EventRow) int { // those with a delivery come first
		switch {
		case a.Delivery == b.Delivery:
			return 0
		case a.Delivery:
			return -1
		}
		return 1
	})
	return e
}

func newEventRow(s *dispatcher.EventSubscription, event string, most int) EventRow {
	row := EventRow{
		ID: s.Subscription.ID, EventID: event, Webhook: Name(&s.Subscription),
		State: show.State{Kind: "off", Word: "not sent"}, Why: missedText(s),
	}
	if s.Delivery != nil {
		row.Delivery, row.Attempts = true, s.Delivery.Attempts
		row.State = show.DeliveryState(s.Delivery, most)
		if s.Delivery.State != store.Pending { // Why says it
			row.State.Detail = ""
		}
		if s.Delivery.State != store.Canceled {
			row.Answer = show.Answer(s.Delivery.LastStatus, s.Delivery.LastError)
		}
	}
	return row
}

// missedText says why a webhook did not get an event.
func missedText(s *dispatcher.EventSubscription) string {
	switch s.Missed {
	case "":
		return ""
	case dispatcher.MissedType:
		return "it does not get this type"
	case dispatcher.MissedLater:
		return "it was subscribed after the event"
	case dispatcher.MissedUnsubscribed:
		return "it is off"
	case dispatcher.MissedFilter:
		return "its filter does not take the payload"
	case dispatcher.MissedChanged:
		return "its settings have changed since, and did not ask for it then"
	case dispatcher.MissedRemoved:
		return "its delivery is older than the history"
	case dispatcher.MissedFiltered:
		return "a filter of this host held it back"
	case dispatcher.MissedCanceled:
		return "canceled: " + text.Line(s.Delivery.LastError)
	case dispatcher.MissedDead:
		return "given up: " + show.Reason(s.Delivery.LastError)
	}
	return text.Line(string(s.Missed))
}
