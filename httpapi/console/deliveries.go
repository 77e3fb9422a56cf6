package console

import (
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/form"
	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// deliveryRows is a table of deliveries.
type deliveryRows struct {
	Rows       []show.Row
	OneWebhook bool // they are all of one, so it is not named in each
	Operator   bool
	Select     bool // rows can be selected
}

// readFilter reads a filter of the deliveries that the sender may see. Of another tenant's webhook
// it is errNotFound.
func (q *request) readFilter() (form.Filter, error) {
	within, tenant := q.read.Scope(q.form.Get("tenant")), ""
	if q.access.AnyTenant { // a customer's is not for its links
		tenant = within.Tenant
	}
	if id := q.form.Get("id"); id != "" {
		sub, err := q.subscription(id)
		if err != nil {
			return form.Filter{}, err
		}
		within.Tenant, within.AnyTenant, within.SubscriptionID = sub.Tenant, false, sub.ID
	}
	return form.ReadFilter(q.form, within, tenant), nil
}

// deliveriesPage is the data of the page of deliveries.
type deliveriesPage struct {
	deliveryRows
	Filter         form.Filter
	Spans          []form.Span
	Classes        [][2]string // of failures, with their names
	Problem        string
	WebhookName    string
	WebhookURL     string // of its page
	Types          []events.Type
	Counted        bool
	Total          int
	TotalMore      bool
	Count          string // the URL that counts
	Next, Previous string
	Replay         string    // the URL of a replay of all that match
	Short          bool      // the search has ended before the page was full
	SearchedTo     time.Time // how far back it has come
}

// deliveries shows deliveries, newest first.
func (q *request) deliveries() (*view, error) {
	f, err := q.readFilter()
	if err != nil {
		return nil, err
	}
	query := f.Query
	query.Cursor, query.Count = q.form.Get("cursor"), q.form.Get("count") != ""
	page, err := q.read.Deliveries(q.r.Context(), query)
	if err != nil {
		return nil, err
	}
	data := deliveriesPage{
		deliveryRows: deliveryRows{
			Rows: show.NewRows(page.Items, q.d.MaxAttempts()), OneWebhook: f.ID != "",
			Operator: query.AnyTenant, Select: q.access.May.Send(),
		},
		Filter: f, Problem: f.Problem, Types: q.read.Catalogue(),
		Spans: form.Spans(), Classes: show.Classes(),
		Counted: query.Count, Total: page.Total, TotalMore: page.TotalIsLowerBound,
		Next: q.cursorURL(page.Next), Previous: q.cursorURL(page.Previous),
		Count: f.URL("deliveries") + "&count=1", Replay: f.URL("replay"),
		Short:      page.Next != "" && len(page.Items) < read.PageSize,
		SearchedTo: page.SearchedToMinute(),
	}
	if !data.Filter.Any() && f.ID == "" && f.Tenant == "" {
		data.Count = "deliveries?count=1"
	}
	if f.ID != "" {
		data.WebhookURL = show.To("webhook", "id", f.ID)
		if sub, err := q.subscription(f.ID); err == nil {
			data.WebhookName = read.Name(&sub)
		}
	} else {
		q.read.NameWebhooks(q.r.Context(), data.Rows)
	}
	return &view{template: "deliveries", title: "Deliveries", data: data, live: true}, nil
}

// deliveryPage is the data of the page of a delivery.
type deliveryPage struct {
	show.Row
	Name, URL string // of the webhook
	On        bool
	Attempts  []show.Attempt // newest first
	Payload   show.Payload
	Download  string // a URL
	Curl      string
	Trace     string // a URL
	Key       string
	Most      int       // attempts that it gets
	Wait      string    // why it is not attempted now
	Until     time.Time // until when at most, if that is known
	CanResend bool
}

// delivery shows a delivery with its attempts.
func (q *request) delivery() (*view, error) {
	sub, d, err := q.read.Delivery(q.r.Context(), q.form.Get("id"), q.form.Get("event"))
	if err != nil {
		return nil, err
	}
	all, err := q.d.Attempts(q.r.Context(), sub.ID, d.EventID)
	if err != nil {
		return nil, err
	}
	data := deliveryPage{
		Row:  show.NewRows([]store.Delivery{d}, q.d.MaxAttempts())[0],
		Name: read.Name(&sub), URL: show.URL(sub.URL),
		On:   sub.Collects(),
		Most: q.d.MaxAttempts(), Wait: show.WaitText(&d), Until: d.WaitUntil,
	}
	if d.State == store.Pending { // the facts say it in more words
		data.Status.Detail, data.Status.At = "", time.Time{}
	}
	data.CanResend = data.On && !d.Erased && sub.SealedWith == ""
	ev, err := q.read.Event(q.r.Context(), &d)
	if err != nil {
		return nil, err
	}
	shown := &q.read.Events
	data.Payload, data.Trace, data.Key = shown.Payload(sub, ev), shown.Trace(ev), text.Line(ev.Key)
	data.Curl = shown.Curl(&sub, ev)
	if q.access.May.Payloads() && !ev.Erased() {
		data.Download = show.To("download", "id", sub.ID, "event", d.EventID)
	}
	for _, a := range slices.Backward(all) {
		data.Attempts = append(data.Attempts, shown.NewAttempt(a, q.access.AnyTenant))
	}
	return &view{template: "delivery", title: "Delivery of " + d.EventType, data: data, live: true},
		nil
}
