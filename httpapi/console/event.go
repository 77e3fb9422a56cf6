package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// eventPage is the data of the page of an event, or of a search for one.
type eventPage struct {
	ID      string
	Problem string // why nothing was found
	Found   []foundEvent
	Tenants int  // how many were searched, by an operator
	Partial bool // there are more
}

// foundEvent is an event of one tenant with what became of it for each webhook.
type foundEvent struct {
	Tenant, Type, Key string
	Tags              []string
	At, PublishedAt   time.Time

	NotBefore, ExpiresAt time.Time // zero: none

	Payload  show.Payload
	Webhooks []reportRow
	Trace    string // a URL
	Next     string // a URL: more webhooks
}

// reportRow says what became of an event for a webhook.
type reportRow struct {
	ID, EventID, Webhook string
	State                show.State
	Why                  string // it did not get it
	Answer               string
	Attempts             int
	Delivery             bool // there is one to look at
}

// maxTenants is how many tenants a search for an event goes through, within readBudget too.
const maxTenants = 200

// event shows who got an event, and why others did not. An ID is its tenant's, so an operator's
// search goes through the tenants.
func (q *request) event() (*view, error) {
	id := strings.TrimSpace(q.form.Get("id"))
	data := eventPage{ID: text.Line(id)}
	v := &view{template: "event", title: "Event", live: true}
	tenants, err := q.tenants(&data)
	if err != nil {
		return nil, err
	}
	for _, tenant := range tenants {
		report, err := q.d.EventFrom(q.r.Context(), tenant, id, q.form.Get("cursor"))
		switch {
		case errors.Is(err, store.ErrNotFound) || isInvalid(err):
		case err != nil:
			return nil, err
		default:
			data.Found = append(data.Found, q.newFound(&report))
		}
	}
	if len(data.Found) == 0 {
		data.Problem = "No webhook has got an event with this ID. Nobody may have been " +
			"subscribed to its type, it may be older than the history, or the ID is another."
		if id == "" {
			data.Problem = "Enter the ID of an event. Receivers get it as webhook-id."
		}
		v.status = http.StatusNotFound
	}
	v.data = data
	return v, nil
}

func (q *request) newFound(report *dispatcher.EventReport) foundEvent {
	ev, shown := &report.Event, q.events()
	f := foundEvent{
		Tenant: ev.Tenant, Type: ev.Type, Key: ev.Key, At: ev.Time, PublishedAt: ev.EnqueuedAt,
		Tags: ev.Tags, NotBefore: ev.NotBefore, ExpiresAt: ev.ExpiresAt,
		Payload: shown.Payload(store.Subscription{Tenant: ev.Tenant}, ev), Trace: shown.Trace(ev),
	}
	if report.Next != "" {
		f.Next = show.To("event", "id", ev.ID, "cursor", report.Next)
		if q.access.AnyTenant {
			f.Next += "&" + url.Values{"tenant": {ev.Tenant}}.Encode()
		}
	}
	for i := range report.Subscriptions {
		f.Webhooks = append(f.Webhooks, newReportRow(&report.Subscriptions[i], ev.ID))
	}
	slices.SortStableFunc(f.Webhooks, func(a, b reportRow) int { // those with a delivery come first
		switch {
		case a.Delivery == b.Delivery:
			return 0
		case a.Delivery:
			return -1
		}
		return 1
	})
	return f
}

func newReportRow(s *dispatcher.EventSubscription, event string) reportRow {
	row := reportRow{
		ID: s.Subscription.ID, EventID: event,
		Webhook: text.Line(cmp.Or(s.Subscription.Name, show.URL(s.Subscription.URL))),
		State:   show.State{Kind: "off", Word: "not sent"}, Why: missedText(s),
	}
	if s.Delivery != nil {
		row.Delivery, row.Attempts = true, s.Delivery.Attempts
		row.State = show.DeliveryState(s.Delivery, time.Now())
		row.State.Detail = ""
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

// tenants returns those whose events the sender may search.
func (q *request) tenants(data *eventPage) ([]string, error) {
	if !q.access.AnyTenant {
		return []string{q.access.Tenant}, nil
	}
	if q.form.Has("tenant") {
		return []string{q.form.Get("tenant")}, nil
	}
	end := time.Now().Add(readBudget)
	var all []string
	query := store.SubscriptionQuery{AnyTenant: true, Limit: 500}
	for {
		page, err := q.d.Subscriptions(q.r.Context(), query)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if !slices.Contains(all, page.Items[i].Tenant) {
				all = append(all, page.Items[i].Tenant)
			}
		}
		data.Tenants = len(all)
		switch {
		case page.Next == "":
			return all, nil
		case len(all) >= maxTenants || time.Now().After(end):
			data.Partial = true
			return all, nil
		}
		query.Cursor = page.Next
	}
}

// shownType is a type of the catalogue with its schema and example as they are shown.
type shownType struct {
	Name, Description, Schema, Example string
}

// types shows the catalogue.
func (q *request) types() (*view, error) {
	var all []shownType
	for _, t := range q.d.EventTypes() {
		all = append(all, newType(&t))
	}
	return &view{template: "types", title: "Event types", data: all}, nil
}

func newType(t *events.Type) shownType {
	s := shownType{Name: text.Line(t.Name), Description: text.Line(t.Description)}
	s.Schema, _ = text.Body(t.Schema, show.MaxBody)
	s.Example, _ = text.Body(t.Example, show.MaxBody)
	return s
}
