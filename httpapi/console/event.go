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
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// eventPage is the data of the page of an event, or of a search for one.
type eventPage struct {
	ID      string
	Problem string // why nothing was found
	Found   []foundEvent
	ByKey   string // a URL: the deliveries whose key is what was searched for
	Tenants int    // how many were searched, by an operator
	GoOn    string // a URL: the tenants after them
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

// maxFound is how many events of an ID one page shows.
const maxFound = 10

// event shows who got an event, and why others did not. An ID is its tenant's, so an operator's
// search goes through the tenants.
func (q *request) event() (*view, error) {
	id := strings.TrimSpace(q.form.Get("id"))
	data := eventPage{ID: text.Line(id)}
	v := &view{template: "event", title: "Event", live: true}
	var err error
	switch {
	case id == "":
	case !q.access.AnyTenant:
		err = q.findEvent(&data, q.access.Tenant, id)
	case q.form.Has("tenant"):
		err = q.findEvent(&data, q.form.Get("tenant"), id)
	default:
		err = q.searchTenants(&data, id)
	}
	if err != nil {
		return nil, err
	}
	if len(data.Found) == 0 {
		v.status = http.StatusNotFound
		data.Problem = "No webhook has got an event with this ID. Nobody may have been " +
			"subscribed to its type, it may be older than the history, or the ID is another."
		data.ByKey = show.To("deliveries", "key", id)
		switch {
		case id == "":
			data.ByKey = ""
			data.Problem = "Enter the ID of an event. Receivers get it as webhook-id."
		case data.GoOn != "":
			data.Problem = "No tenant that was searched so far has an event with this ID."
		}
	}
	v.data = data
	return v, nil
}

// findEvent adds the event of a tenant that has this ID to the page, if there is one.
func (q *request) findEvent(data *eventPage, tenant, id string) error {
	report, err := q.d.Event(q.r.Context(),
		dispatcher.EventQuery{Tenant: tenant, EventID: id, Cursor: q.form.Get("cursor")})
	switch {
	case errors.Is(err, store.ErrNotFound) || isInvalid(err):
		return nil
	case err != nil:
		return err
	}
	data.Found = append(data.Found, q.newFound(&report))
	return nil
}

// searchTenants looks for an event in one tenant after the other, for readBudget and in one at
// least. It goes through the webhooks, since a store has no list of tenants, from the page "from"
// on, and in that from the webhook after "after".
func (q *request) searchTenants(data *eventPage, id string) error {
	end := time.Now().Add(readBudget)
	over := func() bool { return len(data.Found) >= maxFound || !time.Now().Before(end) }
	query := store.SubscriptionQuery{AnyTenant: true, Limit: pageSize, Cursor: q.form.Get("from")}
	after, seen := q.form.Get("after"), make(map[string]bool)
	for {
		page, err := q.d.Subscriptions(q.r.Context(), query)
		if err != nil {
			return err
		}
		// If it was deleted since, its page is searched anew.
		passed := func(s store.Subscription) bool { return s.ID == after }
		items := page.Items[slices.IndexFunc(page.Items, passed)+1:]
		for i := range items {
			tenant := items[i].Tenant
			if seen[tenant] {
				continue
			}
			seen[tenant] = true
			if err := q.findEvent(data, tenant, id); err != nil {
				return err
			}
			data.Tenants = len(seen)
			if over() && i+1 < len(items) {
				data.GoOn = show.To("event", "id", id, "from", query.Cursor, "after", items[i].ID)
				return nil
			}
		}
		switch {
		case page.Next == "":
			return nil
		case over():
			data.GoOn = show.To("event", "id", id, "from", page.Next)
			return nil
		}
		query.Cursor = page.Next
	}
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
		f.Webhooks = append(f.Webhooks, newReportRow(
			&report.Subscriptions[i], ev.ID, q.d.MaxAttempts()))
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

func newReportRow(s *dispatcher.EventSubscription, event string, most int) reportRow {
	row := reportRow{
		ID: s.Subscription.ID, EventID: event,
		Webhook: text.Line(cmp.Or(s.Subscription.Name, show.URL(s.Subscription.URL))),
		State:   show.State{Kind: "off", Word: "not sent"}, Why: missedText(s),
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
